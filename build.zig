//! Builds the shim: `zig build` writes lib/libisolate-x86_64.so and lib/libisolate-aarch64.so.
const std = @import("std");
const builtin = @import("builtin");

comptime {
    // Another compiler makes other bytes, and the tests compare what is committed byte for byte.
    if (!std.mem.eql(u8, builtin.zig_version_string, "0.17.0")) {
        @compileError("the shim is built with Zig 0.17.0, this is " ++ builtin.zig_version_string);
    }
}

const Architecture = struct { cpu: std.Target.Cpu.Arch, headers: []const u8 };

const architectures = [_]Architecture{
    .{ .cpu = .x86_64, .headers = "x86-linux-any" },
    .{ .cpu = .aarch64, .headers = "aarch64-linux-any" },
};

const flags = [_][]const u8{
    "-std=gnu11",                      "-Wall",                "-Wextra",
    "-Werror",                         "-ffreestanding",       "-fno-builtin",
    "-fvisibility=hidden",             "-fno-unwind-tables",   "-fno-stack-protector",
    "-fno-asynchronous-unwind-tables", "-fno-strict-aliasing",
};

pub fn build(b: *std.Build) void {
    for (architectures) |architecture| {
        const module = b.createModule(.{
            .target = b.resolveTargetQuery(.{ .cpu_arch = architecture.cpu, .os_tag = .linux, .abi = .none }),
            .optimize = .ReleaseSmall,
            .link_libc = false,
            .pic = true,
            .strip = true,
            .sanitize_c = .off,
            .stack_protector = false,
            .single_threaded = true,
            .unwind_tables = .none,
        });
        // Only the kernel's headers (numbers and constants), not those of any libc.
        for ([_][]const u8{ architecture.headers, "any-linux-any" }) |headers| {
            const path = b.pathJoin(&.{ "libc", "include", headers });
            module.addSystemIncludePath(std.Build.LazyPath.zig_lib.path(b, path));
        }
        module.addCSourceFiles(.{
            .root = b.path("shim"),
            .files = &.{ "decode.c", "run.c", "entry.c" },
            .flags = &flags,
        });
        const library = b.addLibrary(.{
            .name = b.fmt("isolate-{s}", .{@tagName(architecture.cpu)}),
            .linkage = .dynamic,
            .root_module = module,
        });
        // The library is also the program that becomes a box's init.
        library.entry = .{ .symbol_name = "_start" };
        library.bundle_compiler_rt = false;
        library.link_eh_frame_hdr = false;
        library.build_id = .none;
        const install = b.addInstallFileWithDir(
            library.getEmittedBin(),
            .{ .custom = "../lib" },
            b.fmt("libisolate-{s}.so", .{@tagName(architecture.cpu)}),
        );
        b.getInstallStep().dependOn(&install.step);
    }
}
