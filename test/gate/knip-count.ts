import type { Reporter } from 'knip';

/** A reporter for knip that says how many files it looked at: with none, its silence would prove nothing. */
const reportCount: Reporter = ({ counters }) => {
  console.log(`Looked at ${String(counters.processed)} files`);
};

export default reportCount;
