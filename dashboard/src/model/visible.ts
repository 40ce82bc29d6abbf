/**
 * Hostile text, made harmless to look at: what would hide, reorder or overwrite what surrounds it becomes a sign
 * one can see. Nothing here makes markup safe; text is only ever rendered as text.
 */

/** C0 and C1 controls but tab and newline, bidirectional overrides and isolates, zero-width and line separators. */
const HIDDEN =
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u2064\u2066-\u206f\ufeff\ufff9-\ufffb]|[\u{e0000}-\u{e007f}]/gu;

/** The same without a memory of where it last looked. */
const ANY_HIDDEN = new RegExp(HIDDEN.source, "u");

const NAMES: Record<number, string> = {
  0x00ad: "soft hyphen",
  0x061c: "Arabic letter mark",
  0x200b: "zero width space",
  0x200c: "zero width non-joiner",
  0x200d: "zero width joiner",
  0x200e: "left-to-right mark",
  0x200f: "right-to-left mark",
  0x2028: "line separator",
  0x2029: "paragraph separator",
  0x202a: "left-to-right embedding",
  0x202b: "right-to-left embedding",
  0x202c: "pop directional formatting",
  0x202d: "left-to-right override",
  0x202e: "right-to-left override",
  0x2066: "left-to-right isolate",
  0x2067: "right-to-left isolate",
  0x2068: "first strong isolate",
  0x2069: "pop directional isolate",
  0xfeff: "byte order mark",
};

/** A piece of text: as it is, or one hidden character's sign and its name. */
export type Piece = { text: string; hidden?: undefined } | { text: string; hidden: string };

/** Joiners between letters and emoji are ordinary writing; elsewhere they hide something. */
function isOrdinary(text: string, at: number, code: number): boolean {
  if (code !== 0x200d && code !== 0x200c) return false;
  // By the last character, not by `$`: Chromium 156 does not find an emoji at the end that way.
  const before = Array.from(text.slice(Math.max(0, at - 2), at)).at(-1) ?? "";
  const after = text.slice(at + 1, at + 3);
  return /^[\p{L}\p{M}\p{Extended_Pictographic}\p{Emoji_Modifier}\ufe0f]/u.test(before) && /^[\p{L}\p{Extended_Pictographic}]/u.test(after);
}

/** What terminals and protocols call the C0 controls. */
const C0 =
  "NUL SOH STX ETX EOT ENQ ACK BEL BS HT LF VT FF CR SO SI DLE DC1 DC2 DC3 DC4 NAK SYN ETB CAN EM SUB ESC FS GS RS US".split(" ");

function sign(code: number): string {
  if (code < 0x20) return `\u27e8${C0[code]}\u27e9`;
  if (code === 0x7f) return "\u27e8DEL\u27e9";
  return `\u27e8U+${code.toString(16).toUpperCase().padStart(4, "0")}\u27e9`;
}

/** Split text where something hidden stands. The texts joined are what is shown; CRLF reads as a newline. */
export function pieces(raw: string): Piece[] {
  const text = raw.replaceAll("\r\n", "\n");
  const found: Piece[] = [];
  let from = 0;
  for (const match of text.matchAll(HIDDEN)) {
    const code = match[0].codePointAt(0)!;
    if (isOrdinary(text, match.index, code)) continue;
    if (match.index > from) found.push({ text: text.slice(from, match.index) });
    const name = NAMES[code] ?? "control character";
    found.push({ text: sign(code), hidden: `U+${code.toString(16).toUpperCase().padStart(4, "0")} ${name}` });
    from = match.index + match[0].length;
  }
  if (from < text.length || found.length === 0) found.push({ text: text.slice(from) });
  return found;
}

/** The same as one string, for titles, canvas labels and one-line cells. */
export function visible(raw: string): string {
  if (!ANY_HIDDEN.test(raw)) return raw;
  return pieces(raw)
    .map((piece) => piece.text)
    .join("");
}

/** The first `length` characters, none of them half of one. */
function cut(text: string, length: number): string {
  return text.slice(0, length).replace(/[\ud800-\udbff]$/, "");
}

/** One line of at most `limit` characters. */
export function oneLine(raw: string, limit: number): string {
  const head = raw.length > limit * 2 ? cut(raw, limit * 2) : raw;
  const text = visible(head).replaceAll(/\s+/g, " ").trim();
  return text.length > limit || head.length < raw.length ? `${cut(text, limit - 1)}…` : text;
}

const RIGHT_TO_LEFT = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]/;

/** A text beside others in one line: what it writes from right to left stays in its own place. */
export function isolated(text: string): string {
  return RIGHT_TO_LEFT.test(text) ? `\u2068${text}\u2069` : text;
}
