/** The second guest: a minimal Debian with a real systemd, made of packages and nothing else. */

import { unpackSystemOnce } from "./debian.ts";
import { Image } from "./image.ts";
import { addProject, type ImageOptions } from "./project.ts";

const PACKAGES = [
  "base-passwd",
  "bash",
  "dash",
  "coreutils",
  "mount",
  "procps",
  "sed",
  "systemd-sysv",
  "util-linux",
];

/** What their dependencies bring along for installing and configuring, which nobody does here. */
const LEFT_OUT =
  /^\/(usr\/share\/(perl|doc|man|info|locale|i18n|zoneinfo|debconf)|usr\/lib\/.*\/perl|usr\/bin\/(perl|dpkg)|usr\/lib\/.*\/(gconv|libperl)|var\/lib\/dpkg)/;

/** No terminals to log in at; and what needs modules that the guest does not have. */
const MASKED = [
  ...["getty.target", "serial-getty@.service", "console-getty.service"],
  ...["proc-sys-fs-binfmt_misc.automount", "systemd-binfmt.service"],
];

/** The tests run beside a system that is up, as an operator would run them. */
const SERVICE = `[Unit]
Description=The tests of this guest

[Service]
Type=exec
ExecStart=/vm/run
StandardOutput=tty
StandardError=tty
TTYPath=/dev/console

[Install]
WantedBy=multi-user.target
`;

/** Makes sure that the packages are there. */
export async function prepareSystemd(folder: string): Promise<void> {
  await unpackSystemOnce(`${folder}/systemd`, PACKAGES);
}

/** Puts the guest's root together. */
export async function makeSystemdImage(options: ImageOptions): Promise<Image> {
  const image = new Image();
  const system = `${options.root}/.tools/vm/systemd`;
  image.addFolderAs("/", system, { leftOut: LEFT_OUT });
  for (const name of ["passwd", "group"]) {
    image.addFileAs(`/etc/${name}`, `${system}/usr/share/base-passwd/${name}.master`);
  }
  image.addText("/etc/machine-id", `${"1".repeat(32)}\n`);
  image.addText("/etc/hostname", "guest\n");
  image.addText("/etc/systemd/system/tests.service", SERVICE);
  const wanted = "/etc/systemd/system/multi-user.target.wants";
  image.addSymlink(`${wanted}/tests.service`, "../tests.service");
  // Of the packages' scripts, which nobody has run, systemd misses these.
  image.addSymlink("/var/run", "/run");
  image.addSymlink("/var/lock", "/run/lock");
  for (const name of MASKED) image.addSymlink(`/etc/systemd/system/${name}`, "/dev/null");
  image.addSymlink("/etc/systemd/system/default.target", "/lib/systemd/system/multi-user.target");
  await addProject(image, { ...options, modules: [] });
  return image;
}
