// Exits with 0 when the daemon in this container answers, else with 1 and the reason. Where web.listen or web.tls are
// not those of the image, name the address in FTM_WATCH_HEALTH_URL.
import { get as httpGet } from 'node:http';
import { get as httpsGet } from 'node:https';

const url = process.env['FTM_WATCH_HEALTH_URL'] || 'http://127.0.0.1:9843/-/healthy';
// On loopback, and nothing secret is said: the name in the certificate is that of the site.
const get = url.startsWith('https:') ? httpsGet : httpGet;

const request = get(url, { rejectUnauthorized: false, timeout: 4_000 }, (response) => {
  response.resume();
  if (response.statusCode === 200) return;
  process.stderr.write(`"${url}" answered with ${String(response.statusCode)}: expected 200\n`);
  process.exitCode = 1;
});
request.on('timeout', () => request.destroy(new Error('no answer within 4 s')));
request.on('error', (error) => {
  process.stderr.write(`Cannot ask "${url}": ${error.message}\n`);
  process.exitCode = 1;
});
