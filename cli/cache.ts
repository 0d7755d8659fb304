// Where mappings that were found before are kept: WAFER_EMULATOR_CACHE, a folder, or nowhere if that is empty; else
// wafer-emulator in the user's cache folder.

import { isAbsolute, join } from 'node:path';
import type { MappingCache } from '../run/mapper/cache.ts';
import type { Io } from './io.ts';
import { packageVersion } from './version.ts';

export function cacheFor({ env }: Pick<Io, 'env'>): MappingCache | undefined {
  const folder = folderOf(env);
  return folder === undefined ? undefined : { folder: join(folder, 'mappings'), version: packageVersion() };
}

function folderOf({ WAFER_EMULATOR_CACHE: own, XDG_CACHE_HOME: xdg, HOME: home }: Io['env']): string | undefined {
  if (own !== undefined) return own === '' ? undefined : own;
  // The standard says that a relative path counts as none.
  if (xdg !== undefined && isAbsolute(xdg)) return join(xdg, 'wafer-emulator');
  return home === undefined || home === '' ? undefined : join(home, '.cache', 'wafer-emulator');
}
