import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { appendFile, copyFile, rename, truncate, writeFile } from 'node:fs/promises';
import { LICENSE_HOST } from '../../src/demo/lab/site.ts';
import type { Conductor } from './conductor.ts';
import { APPLIANCE_ADDRESS, FIREWALL_ADDRESS, LICENSE_ADDRESSES, SYSLOG } from './site.ts';

/** FortiAuthenticator's log, sent as syslog over UDP and written to a file by a syslog server on the same machine. */
export class ApplianceLog implements AsyncDisposable {
  readonly #file: string;
  readonly #conductor: Conductor;
  readonly #appliance: Socket = createSocket('udp4');
  readonly #firewall: Socket = createSocket('udp4');

  constructor(file: string, conductor: Conductor) {
    this.#file = file;
    this.#conductor = conductor;
  }

  async open(): Promise<void> {
    await writeFile(this.#file, '');
    for (const [socket, address] of [
      [this.#appliance, APPLIANCE_ADDRESS],
      [this.#firewall, FIREWALL_ADDRESS],
    ] as const) {
      const bound = once(socket, 'listening');
      socket.bind(0, address);
      await bound;
    }
  }

  say(message: string, level = 'information'): Promise<void> {
    return send(this.#appliance, `<${level === 'error' ? '11' : '14'}>${this.#event(message, level)}`);
  }

  write(message: string, level = 'information'): Promise<void> {
    return appendFile(this.#file, `${this.#event(message, level)}\n`);
  }

  /** Renames the file as logrotate does. The writer continues in a new file. */
  async rotate(): Promise<void> {
    await rename(this.#file, `${this.#file}.1`);
    await writeFile(this.#file, '');
  }

  /** Copies the file and truncates it. */
  async cut(): Promise<void> {
    await copyFile(this.#file, `${this.#file}.1`);
    await truncate(this.#file);
  }

  /** Sends the line that a FortiGate logs after it has opened a client's TLS session and signed it again. */
  admitInspection(): Promise<void> {
    const line =
      'date=2026-01-01 time=00:00:00 devname="fgt-1" devid="FG100F0000000001" logid="1700062302" type="utm" ' +
      'subtype="ssl" eventtype="ssl-anomalies" level="warning" vd="root" action="resign-as-untrusted" policyid=5 ' +
      `srcip=${APPLIANCE_ADDRESS} dstip=${LICENSE_ADDRESSES[0] ?? ''} dstport=443 profile="deep-inspection" ` +
      `hostname="${LICENSE_HOST}"`;
    return send(this.#firewall, `<189>${line}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of [this.#appliance, this.#firewall])
      await new Promise<void>((resolve) => socket.close(() => resolve()));
  }

  /** In this machine's time zone, as its syslog server writes it. */
  #event(message: string, level: string): string {
    const [, month = '', day = '', , time = ''] = new Date(this.#conductor.now()).toString().split(' ');
    return (
      `${month} ${day.replace(/^0/u, ' ')} ${time} fac-1 db[16987]:  category="Event" subcategory="System" typeid=0 ` +
      `level="${level}" user="" nas="" action="" status="" ${message}`
    );
  }
}

function send(socket: Socket, line: string): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.send(line, SYSLOG.port, SYSLOG.address, (error) => {
      if (error === null) resolve();
      else reject(error);
    });
  });
}
