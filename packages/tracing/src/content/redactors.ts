/**
 * Ready redactors. Each takes a text and the name it stands under (a JSON member or an attribute key, "" where it has none) and gives the
 * text back without what it looks for. No expression here can run longer than a fixed number of steps a character.
 */

/** Gives `text` back without what must not be recorded. `name`: the JSON member or attribute that holds it, "" for none. */
export type Redactor = (text: string, name: string) => string;

export const redacted = "[redacted]";

/** Words that end the name of a secret: `clientSecret`, `x-api-key`, `db.password`. */
const secretName =
  /(?:^|[^a-z])(?:pass(?:word|wd|phrase|code)?|pwd|secret|(?:api|access|private|signing|encryption|account|secret|auth|master)[-_. ]?key|token|jwt|authorization|proxy[-_]authorization|cookie|credentials?|bearer|pin|cvv|cvc|otp|connection[-_ ]?string)$/i;

/** `camelCase` as `camel_case`, so that words can be told apart. */
function words(name: string): string {
  return name.replace(/([a-z\d])([A-Z])/g, "$1_$2");
}

/** Names of the conventions and of ours that look like secrets and are none. */
const harmless = /^(?:session\.id|gen_ai\.|a2a\.|mcp\.|weft\.(?!tag\.))/;

function isSecretName(name: string): boolean {
  return name.length < 256 && secretName.test(words(name)) && !harmless.test(name);
}

/** `password=…`, `"apiKey": "…"`, also as JSON inside a JSON string, whose quotes are escaped. */
const assigned =
  /((?:pass(?:word|wd|phrase|code)|pwd|secret|(?:api|access|private|signing|encryption|account|secret|auth|master)[-_. ]?key|token|credentials?|cvv|cvc|otp|connection[-_ ]?string)\\{0,7}["']?\s{0,4}(?:[:=]|=>)\s{0,4})(?:(\\{0,7}["'])([\s\S]{1,8192}?)(?=(?<!\\)\2|$)|[^\s"'&;,}\]\\]+)/gi;

/** Header lines: all that follows on the line, up to a quote. */
const header =
  /((?:authorization|cookie)\\{0,7}["']?\s{0,4}(?:[:=]|=>)\s{0,4})(?:(\\{0,7}["'])([\s\S]{1,8192}?)(?=(?<!\\)\2|$)|[^\r\n"']+)/gi;

/** Keys that their makers gave a form of their own. */
const knownKeys = new RegExp(
  [
    String.raw`\b(?:sk|pk|rk)[-_](?:live|test|proj|ant|or|svcacct|admin)?[-_]?[A-Za-z0-9_-]{16,}`,
    String.raw`\bgh[pousr]_[A-Za-z0-9]{20,}`,
    String.raw`\bgithub_pat_\w{20,}`,
    String.raw`\bglpat-[\w-]{16,}`,
    String.raw`\bxox[abeoprs]-[A-Za-z0-9-]{10,}`,
    String.raw`\b(?:AKIA|ASIA|AROA|AIDA)[0-9A-Z]{16}\b`,
    String.raw`\bAIza[\w-]{30,}`,
    String.raw`\bya29\.[\w-]{16,}`,
    String.raw`\b(?:hf|npm|dop_v1|shpat|shpss|whsec|lsv2_[ps]t|gsk|r8|tvly|pplx|nvapi|xai)[-_][A-Za-z0-9_]{16,}`,
    String.raw`\bSG\.[\w-]{16,}\.[\w-]{16,}`,
    String.raw`\bpypi-[\w-]{16,}`,
    String.raw`-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----[\s\S]{0,16384}?(?:-----END [A-Z ]{0,40}PRIVATE KEY-----|$)`,
  ].join("|"),
  "g",
);

function hideAssigned(text: string, pattern: RegExp): string {
  return text.replace(
    pattern,
    (_all, before: string, quote: string | undefined) => before + (quote ?? "") + redacted,
  );
}

/** API keys, passwords and private keys: by the name they stand under, by `name=value` in a text, and by their makers' forms. */
function keys(text: string, name: string): string {
  if (text === "") return text;
  if (isSecretName(name)) return redacted;
  return hideAssigned(text, assigned).replace(knownKeys, redacted);
}

const schemes = /\b(Bearer|Basic|Digest|Token|ApiKey|Negotiate)(\s{1,4})[A-Za-z0-9._~+/=:-]{6,}/gi;
const jwt = /\beyJ[\w-]{5,}\.[\w-]{5,}(?:\.[\w-]*)?/g;
const userInfo = /(:\/\/)[^/\s@"'\\]{1,1024}@/g;
const signedQuery =
  /([?&;](?:sig|signature|x-amz-(?:signature|credential|security-token)|x-goog-(?:signature|credential)|awsaccesskeyid|key|code|auth)=)[^&\s"'#\\]+/gi;

/** What proves who a caller is: authorization and cookie headers, bearer tokens, JWTs, credentials and signatures in URLs. */
function tokens(text: string, name: string): string {
  if (text === "") return text;
  if (isSecretName(name)) return redacted;
  return hideAssigned(text, header)
    .replace(schemes, `$1$2${redacted}`)
    .replace(jwt, redacted)
    .replace(userInfo, `$1${redacted}@`)
    .replace(signedQuery, `$1${redacted}`);
}

const email = /[A-Za-z0-9._%+-]{1,64}(?:@|%40)[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,8}/g;

/** E-mail addresses. */
function emails(text: string): string {
  return text.includes("@") || text.includes("%40") ? text.replace(email, redacted) : text;
}

const digits = /(?<![\d.])\d(?:[ -]?\d){12,18}(?!\d)/g;

/** Payment card numbers: 13 to 19 digits, blanks or dashes between them, whose check digit is right. */
function cardNumbers(text: string): string {
  return text.replace(digits, (found) => (passesLuhn(found.replace(/\D/g, "")) ? redacted : found));
}

function passesLuhn(number: string): boolean {
  let sum = 0;
  for (let at = 0; at < number.length; at += 1) {
    const digit = Number(number[number.length - 1 - at]);
    const doubled = at % 2 === 0 ? digit : digit * 2;
    sum += doubled > 9 ? doubled - 9 : doubled;
  }
  return sum % 10 === 0;
}

/** `keys` and `tokens` together. */
function secrets(text: string, name: string): string {
  return keys(tokens(text, name), name);
}

/** For `startTracing({ redact: [redactors.secrets, redactors.emails] })`. A function of your own does as well. */
export const redactors = { keys, tokens, secrets, emails, cardNumbers } as const;
