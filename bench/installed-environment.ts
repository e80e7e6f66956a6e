/** The environment that the unit and the image in deploy/ set. */
export const INSTALLED_ENVIRONMENT: NodeJS.ProcessEnv = {
  PATH: process.env['PATH'],
  MALLOC_ARENA_MAX: '1',
};
