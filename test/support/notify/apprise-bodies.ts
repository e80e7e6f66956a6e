import { spawnSync } from 'node:child_process';

/**
 * Runs Debian's apprise with its POST requests intercepted instead of sent. The requests are printed as one JSON
 * object per line.
 */
const SCRIPT = `
import json, sys, apprise
from unittest import mock

class Taken:
    status_code = 202
    content = b''
    headers = {}

def post(url, **how):
    print(json.dumps({'url': url, 'body': json.loads(how.get('data') or json.dumps(how.get('json')))}))
    return Taken()

with mock.patch('requests.post', post):
    for url in sys.argv[1:]:
        way = apprise.Apprise()
        way.add(url)
        way.notify(title='Title', body='Body', notify_type='failure')
`;

/** Returns the body that apprise posts for an apprise URL. @throws if it posts nothing */
export function appriseBody(url: string): unknown {
  const { stdout, stderr } = spawnSync('/usr/bin/python3', ['-c', SCRIPT, url], { encoding: 'utf8', timeout: 60_000 });
  const [line = ''] = stdout.split('\n');
  if (line === '') throw new Error(`apprise posted nothing:\n${stderr}`);
  return (JSON.parse(line) as { readonly body: unknown }).body;
}
