import { IsBoolean, IsString, MaxLength, MinLength } from 'class-validator';
import { PlainText } from '../shared/plain-text.js';

/** `PATCH /admin/inventories/:provider`. */
export class InventorySettingsBody {
  /** Delete at the provider, without a person's word, what two comparisons have seen to belong to nobody. */
  @IsBoolean()
  removes_orphans!: boolean;
}

/** `POST /admin/findings/:finding/remedy`. */
export class RemedyBody {
  /** For the audit trail. */
  @IsString()
  @MinLength(1)
  @MaxLength(500)
  @PlainText()
  why!: string;
}
