import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A mail as parsed by Python's `email` package, which follows RFC 5322 and RFC 2045 and reports violations. */
export interface ParsedMail {
  readonly subject: string;
  /** Defects of the message, its parts and their headers. */
  readonly defects: readonly string[];
  readonly text: string;
  readonly html: string;
}

const SCRIPT = `
import email, email.policy, json, pathlib, sys

def defects(part):
    headers = (defect for value in part.values() for defect in value.defects)
    return [repr(defect) for defect in (*part.defects, *headers)]

def parsed(path):
    message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
    return {
        'subject': message['subject'],
        'defects': [defect for part in message.walk() for defect in defects(part)],
        'text': message.get_body(('plain',)).get_content(),
        'html': message.get_body(('html',)).get_content(),
    }

print(json.dumps([parsed(path) for path in sorted(pathlib.Path(sys.argv[1]).iterdir())]))
`;

/** @param raw mails as received over the wire */
export function parsedMails(raw: readonly string[]): readonly ParsedMail[] {
  const folder = mkdtempSync(join(tmpdir(), 'ftm-watch-mails-'));
  try {
    for (const [index, mail] of raw.entries()) writeFileSync(join(folder, String(index).padStart(4, '0')), mail);
    const output = execFileSync('python3', ['-c', SCRIPT, folder], { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
    return JSON.parse(output) as readonly ParsedMail[];
  } finally {
    rmSync(folder, { recursive: true });
  }
}
