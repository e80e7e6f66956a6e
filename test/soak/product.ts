import { compileLess, keepHeapSmall } from '../../src/system/v8-flags.ts';
import type { ProductOptions } from './protocol.ts';
import { SimulatedTime } from './simulated-time.ts';

// As the program itself does at the start.
keepHeapSmall();
compileLess();

// The process of the product only, so that the daemon alone is measured. Time is replaced before any module of the
// product or its libraries is loaded.
const [configFile = '', folder = '', start = ''] = process.argv.slice(2);
// The process that keeps the time is gone, so nothing would ever happen again.
process.once('disconnect', () => process.exit());
const options: ProductOptions = { configFile, folder, start: Number(start) };
const time = new SimulatedTime(options.start);
time.install();
const { ProductHost } = await import('./product-host.ts');
await new ProductHost(options, time).serve();
