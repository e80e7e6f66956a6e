import { setFlagsFromString } from 'node:v8';

/**
 * Keeps the heap small at the cost of more frequent garbage collection. By default, V8 lets the young generation grow
 * to 32 MB, and the old generation to four times the size of its live objects. After a thousand rounds, the heap would
 * be 300 MB, of which only 30 MB would be in use. The maximum size is not changed. Call this function before anything
 * else. V8 reads both flags whenever it considers growing the heap. Changing the flags costs 20 ms at startup, because
 * the code cache in Node's build is valid only for the original flags.
 */
export function keepHeapSmall(): void {
  setFlagsFromString('--semi-space-growth-factor=1');
  setFlagsFromString('--heap-growing-percent=25');
  setFlagsFromString('--memory-reducer-gc-count=0');
}

/**
 * Compiles only with Maglev, and with fewer threads. Otherwise, the temporary memory of V8's compilers leaves 15 to 20
 * MiB of holes in glibc's heap. Efficiency mode would also collect garbage in a single thread, and the heap would grow
 * meanwhile. V8 reads these flags whenever it compiles a function or collects garbage.
 */
export function compileLess(): void {
  setFlagsFromString('--efficiency-mode');
  setFlagsFromString('--efficiency-mode-disable-turbofan');
  setFlagsFromString('--no-single-threaded-gc-in-background');
}
