import { cpus, loadavg } from 'node:os';
import { benchConfigReads } from './config-reads.js';
import { benchControlPlane } from './control-plane.js';
import { benchProvisioning } from './provisioning.js';
import { Rig } from './rig.js';

/** In this order: the deletion of what provisioning made goes on in the background, and would slow what comes after. */
const BENCHES: Record<string, (rig: Rig) => Promise<void>> = {
  'config-reads': benchConfigReads,
  'control-plane': benchControlPlane,
  provisioning: benchProvisioning,
};

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !(name in BENCHES));
if (unknown.length > 0) {
  process.stderr.write(
    `There is no benchmark ${unknown.join(', ')}; choose from ${Object.keys(BENCHES).join(', ')}.\n`,
  );
  process.exit(1);
}
process.stdout.write(
  `${new Date().toISOString()}, ${cpus().length} × ${cpus()[0]?.model.trim() ?? 'CPU'}, Node.js ${process.versions.node}, load ${load()}\n`,
);
const rig = await Rig.start();
try {
  for (const [name, bench] of Object.entries(BENCHES))
    if (wanted.length === 0 || wanted.includes(name)) await bench(rig);
} finally {
  await rig.stop();
}

/** Of the last minute, before anything is measured: what else the machine does. */
function load(): string {
  return (loadavg()[0] ?? 0).toFixed(2);
}
