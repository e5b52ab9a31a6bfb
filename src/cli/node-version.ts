/** Oldest Node.js that runs this program; package.json's `engines` says the same, and a test holds them together. */
export const MINIMUM_NODE = [22, 20] as const;

/**
 * What to tell somebody whose Node.js is too old, or null. Written in words an old Node reads, and without imports.
 * @param version `process.versions.node`
 */
export function describeOldNode(version: string): string | null {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [needMajor, needMinor] = MINIMUM_NODE;
  if (major > needMajor || (major === needMajor && minor >= needMinor)) return null;
  return `hublineage: needs Node.js ${needMajor}.${needMinor} or newer, and this is ${version}. Install a newer one from https://nodejs.org, then run the same command again.\n`;
}
