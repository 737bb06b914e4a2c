'use strict';
// Finds and loads the native part: the file LIBWAL_NATIVE_PATH names (and no other), else the
// package of this platform.

const { version } = require('../package.json');

const PACKAGES = { 'linux-x64': 'libwal-linux-x64-gnu' };

function load() {
  const override = process.env.LIBWAL_NATIVE_PATH;
  if (override) return require(override);
  const platform = `${process.platform}-${process.arch}`;
  const name = PACKAGES[platform];
  if (name === undefined) {
    throw new Error(
      `libwal has no native part for ${platform}: build one from source ` +
        'and set LIBWAL_NATIVE_PATH to it',
    );
  }
  try {
    return require(name);
  } catch (error) {
    if (error.code !== 'MODULE_NOT_FOUND') throw error;
    throw new Error(
      `the package ${name} is missing: it is an optional dependency of libwal, which npm leaves ` +
        'out with --omit=optional, or with a lock file that was written on another platform ' +
        '(remove node_modules and package-lock.json and install again)',
      { cause: error },
    );
  }
}

const binding = load();

/** Sees that both parts are of one version, now that the native one can tell. */
function check(native) {
  if (native !== version) {
    throw new Error(`libwal is ${version}, its native part ${native}: install both anew`);
  }
}

module.exports = { connect: binding.connect, check };
