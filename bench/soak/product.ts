import { keepHeapSmall } from '../../src/system/v8-flags.ts';
import type { ProductOptions } from './protocol.ts';
import { SimulatedTime } from './simulated-time.ts';

// As the program itself begins.
keepHeapSmall();

// The process of the product, and of nothing else: what is measured here is the daemon. Time is replaced before any
// module of the product, or of a library that it uses, is loaded.
const [configFile = '', folder = '', start = ''] = process.argv.slice(2);
// The process that keeps time is gone: nothing would ever happen again.
process.once('disconnect', () => process.exit());
const options: ProductOptions = { configFile, folder, start: Number(start) };
const time = new SimulatedTime(options.start);
time.install();
const { ProductHost } = await import('./product-host.ts');
await new ProductHost(options, time).serve();
