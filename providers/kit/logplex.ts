/** One line of an app's log, as a drain gets it. */
export interface LogMessage {
  /** Facility × 8 + severity, as in syslog. */
  priority: number;
  /** As sent, e.g. `2026-01-31T12:00:00.123456+00:00`. */
  timestamp: string;
  host: string;
  /** `app` for what the app said, `heroku` for what the platform said. */
  app: string;
  /** `web.1`, `router`, … */
  process: string;
  /** Without the line's end. */
  text: string;
}

/** So many lines of one body are taken; the router sends no more than it buffers, which is 1,024. */
export const MESSAGES_MAX = 10_000;

/** A body that does not follow `application/logplex-1`; the message says where. */
export class MalformedFrames extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'MalformedFrames';
  }
}

const LENGTH_DIGITS_MAX = 7;
const SPACE = 0x20;

/** Cuts a body into its messages: `LENGTH MESSAGE`, where the length counts bytes and nothing stands between. */
export function splitFrames(body: Buffer, messagesMax = MESSAGES_MAX): Buffer[] {
  const frames: Buffer[] = [];
  for (let at = 0; at < body.length;) {
    if (frames.length === messagesMax)
      throw new MalformedFrames(`There are more than ${messagesMax} messages.`);
    const space = body.subarray(at, at + LENGTH_DIGITS_MAX + 1).indexOf(SPACE);
    const digits = space < 0 ? '' : body.toString('latin1', at, at + space);
    if (!/^[1-9]\d*$/.test(digits)) throw new MalformedFrames(`At byte ${at} there is no length.`);
    const start = at + space + 1;
    const end = start + Number(digits);
    if (end > body.length)
      throw new MalformedFrames(
        `The message at byte ${at} has ${body.length - start} of its ${digits} bytes.`,
      );
    frames.push(body.subarray(start, end));
    at = end;
  }
  return frames;
}

/** `<PRI>1 TIMESTAMP HOST APP PROCID MSGID TEXT`: syslog's newest form without its structured data. */
const MESSAGE = /^<(\d{1,3})>1 (\S+) (\S+) (\S+) (\S+) (\S+) ?([^]*)$/;

/** Reads one message; null for what is no syslog line. */
export function parseLogMessage(frame: Buffer): LogMessage | null {
  const match = MESSAGE.exec(frame.toString('utf8'));
  if (match === null) return null;
  const [, priority = '', timestamp = '', host = '', app = '', process = '', , text = ''] = match;
  return { priority: Number(priority), timestamp, host, app, process, text: text.replace(/\r?\n$/, '') };
}

/** Reads a body, checking it against `Logplex-Msg-Count` where that was sent. */
export function parseLogplex(body: Buffer, count: string | undefined): LogMessage[] {
  const frames = splitFrames(body);
  if (count !== undefined && count !== String(frames.length))
    throw new MalformedFrames(`Logplex-Msg-Count says ${count}, and there are ${frames.length} messages.`);
  return frames.map((frame, index) => {
    const message = parseLogMessage(frame);
    if (message === null) throw new MalformedFrames(`Message ${index + 1} is no syslog line.`);
    return message;
  });
}
