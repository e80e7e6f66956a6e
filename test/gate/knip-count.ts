import type { Reporter } from 'knip';

/** A reporter for knip that prints the number of files checked. With 0 files, no output would prove nothing. */
const reportCount: Reporter = ({ counters }) => {
  console.log(`Looked at ${String(counters.processed)} files`);
};

export default reportCount;
