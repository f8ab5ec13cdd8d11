/** `POST /oauth/token`, as a form, as JSON, or in the query. For the OpenAPI document: `parseTokenRequest` reads it. */
export class TokenBody {
  grant_type!: 'authorization_code' | 'refresh_token';

  /** With `authorization_code`: of the `oauth_grant`. */
  code?: string;

  /** With `refresh_token`. */
  refresh_token?: string;

  client_secret!: string;
}

export class TokenResource {
  access_token!: string;
  /** The same at every exchange; it works as long as the add-on lives. */
  refresh_token!: string;
  expires_in!: number;
  token_type!: string;
  user_id!: string;
  session_nonce!: string | null;
}
