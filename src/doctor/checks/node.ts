/** The Node that runs us, and with it every trainer that is a script. */
import { type Finding, ok, problem } from '../finding.ts';

/** As `engines` in package.json. */
const LEAST = [20, 19] as const;

/** @param version `process.versions.node` */
export function checkNode(version: string): Finding {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major > LEAST[0] || (major === LEAST[0] && minor >= LEAST[1])) return ok('node', version);
  return problem('node', `${version} is older than ${LEAST.join('.')}.`, 'Install a newer Node: https://nodejs.org');
}
