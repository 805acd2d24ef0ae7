/** Which file systems SQLite's WAL cannot be trusted on: it needs memory shared between all who open the file. */
import { statfsSync } from 'node:fs';

/** `f_type` of file systems that several machines may have mounted. Source: statfs(2) and Linux's magic.h. */
const NETWORK_TYPES: ReadonlySet<number> = new Set([
  0x6969, // NFS
  0x517b, // SMB
  0xff534d42, // CIFS
  0xfe534d42, // SMB2
  0x01021997, // 9P, also the Windows drives of WSL
  0x65735546, // FUSE: sshfs and its like cannot be told from local ones
  0x00c36400, // Ceph
  0x0bd00bd0, // Lustre
  0x47504653, // GPFS
  0x19830326, // BeeGFS
  0x01161970, // GFS2
  0x7461636f, // OCFS2
  0x5346414f, // AFS
  0x6b414653, // kAFS
  0x73757245, // Coda
  0x786f4256, // VirtualBox shared folders
  0xbacbacbc, // VMware shared folders
]);

/** Whether a `statfs` type is one that other machines may share. */
export function isNetworkType(type: number): boolean {
  // Node hands f_type on as a signed or an unsigned number, depending on the platform.
  return NETWORK_TYPES.has(type >>> 0);
}

/** `f_type` of the file system that holds this path. */
export function fileSystemType(path: string): number {
  return statfsSync(path).type;
}
