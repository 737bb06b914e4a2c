export * from './index.js';
import * as libwal from './index.js';
export default libwal;
