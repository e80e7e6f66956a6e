import type { KnipConfig } from 'knip';

const IS_PRODUCTION = process.argv.includes('--production');

const config: KnipConfig = {
  entry: [
    'src/web/static/*.js!',
    'test/screenshots.ts',
    'test/gate/{knip-count,ci-reporter}.ts',
    'test/support/mail/mail-catcher.ts',
    'test/fixtures/{contract,store}/write.ts',
    'test/mutation/{run,vitest.config}.ts',
    'bench/*.ts',
    'deploy/image/healthcheck.ts',
    // Generates the runbooks with code of src.
    ...(IS_PRODUCTION ? ['tools/generate/runbooks/*.ts!'] : []),
  ],
  project: [
    'src/**/*.{ts,js}!',
    'test/**/*.ts',
    'bench/**/*.ts',
    'deploy/**/*.ts',
    'tools/generate/runbooks/*.ts!',
    'tools/**/*.ts',
  ],
  ignoreBinaries: [
    'ansible-playbook',
    'openssl',
    'cmark-gfm',
    'editcap',
    'mkfifo',
    'tshark',
    'mount',
    'mkfs.ext4',
    'fsfreeze',
    'umount',
    'postfix',
    'unshare',
    'podman-compose',
    'promtool',
    'vmalert-tool',
    'jsonnet',
    'perl',
    'nagios4',
    'iptables',
    'prlimit',
    'dpkg-deb',
    'lintian',
    'man',
    'rpmlint',
    'sha256sum',
  ],
  ignoreDependencies: IS_PRODUCTION ? [] : ['@stryker-mutator/vitest-runner'],
  // A module exports to its tests what it also uses itself, if they need access to its internals. No export exists
  // only for tests.
  ignoreExportsUsedInFile: IS_PRODUCTION || { interface: true, type: true },
};

export default config;
