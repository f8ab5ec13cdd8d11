import { existsSync, readdirSync, readFileSync, readlinkSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { foldersElsewhere } from '../../providers/engines/index.js';
import { endAllIn } from '../../providers/engines/processes.js';
import { dropTo } from '../../providers/engines/system-user.js';

/** A process of this machine, as /proc shows it. */
export interface RunningProcess {
  pid: number;
  parent: number;
  command: string;
}

/** The processes that have to do with a Souk's folder: by their arguments or by where they work, its engines too. */
export async function processesOf(home: string): Promise<RunningProcess[]> {
  const folders = [home, ...(await foldersElsewhere(home))];
  const belongs = (path: string) => folders.some((folder) => path.includes(folder));
  return listProcesses(({ command, cwd }) => belongs(command) || belongs(cwd));
}

/** The processes that a process has started itself. */
export function childrenOf(pid: number): RunningProcess[] {
  return listProcesses(({ parent }) => parent === pid);
}

/** Ends what still runs on a Souk's folder, and takes away all that it made, on whichever disk it lies. */
export async function removeSouk(home: string): Promise<void> {
  const folders = [home, ...(await foldersElsewhere(home))];
  for (const data of folders.flatMap(dataFolders))
    await endAllIn(data, await dropTo('test', statSync(data).uid));
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
}

/** The data folders of engines below a folder: `…/postgres/NAME/data`, `…/redis/NAME/data`. */
function dataFolders(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isDirectory() && /\/(postgres|redis)\/[^/]+$/.test(entry.parentPath))
    .filter(({ name }) => name === 'data')
    .map((entry) => join(entry.parentPath, entry.name));
}

function listProcesses(wanted: (process: RunningProcess & { cwd: string }) => boolean): RunningProcess[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const command = readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
        // After the program's name, which may hold spaces: state, parent.
        const stat = readFileSync(`/proc/${name}/stat`, 'utf8').replace(/^.*\)/s, '').trim().split(' ');
        const found = { pid: Number(name), parent: Number(stat[1]), command };
        const cwd = readlinkSync(`/proc/${name}/cwd`);
        return stat[0] !== 'Z' && wanted({ ...found, cwd }) ? [found] : [];
      } catch (error) {
        // It ended while we looked, or is another user's.
        if (error instanceof Error) return [];
        throw error;
      }
    });
}
