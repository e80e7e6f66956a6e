import { parentPort, workerData } from 'node:worker_threads';
import { compareSync } from 'bcryptjs';

export interface BcryptJob {
  readonly password: string;
  readonly hash: string;
}

if (isJob(workerData)) parentPort?.postMessage(compareSync(workerData.password, workerData.hash));

function isJob(value: unknown): value is BcryptJob {
  return typeof value === 'object' && value !== null && 'password' in value && 'hash' in value;
}
