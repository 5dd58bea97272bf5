/** `Promise.withResolvers`, which QMux is written with, for browsers from before 2024. */

interface WithResolvers {
  withResolvers?: () => object;
}

const promises = Promise as WithResolvers & PromiseConstructor;

promises.withResolvers ??= () => {
  const deferred = {};
  const promise = new Promise((resolve, reject) => Object.assign(deferred, { resolve, reject }));
  return Object.assign(deferred, { promise });
};
