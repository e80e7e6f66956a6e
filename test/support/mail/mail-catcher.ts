import { text } from 'node:stream/consumers';
import { SMTPServer } from 'smtp-server';

async function print(mail: Promise<string>): Promise<void> {
  const [, subject = ''] = /^Subject: (.*(?:\r\n[ \t].*)*)/mu.exec(await mail) ?? [];
  process.stdout.write(`${subject.replaceAll(/\r\n\s+/gu, ' ')}\n`);
}

/**
 * A program that accepts every mail on port 25 and prints the subject of each on a line. It runs in the image that
 * replaces the mail catcher of deploy/compose.yaml.
 */
const server = new SMTPServer({
  authOptional: true,
  disabledCommands: ['AUTH', 'STARTTLS'],
  disableReverseLookup: true,
  onData: (stream, _session, done) => {
    void print(text(stream)).finally(done);
  },
});
server.listen(25, '0.0.0.0');
