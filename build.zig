//! Builds the shim: `zig build` writes the libraries and the clients of both architectures into lib/.
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

const shared = [_][]const u8{ "decode.c", "run.c", "live.c", "signal.c", "crash.c", "client.c" };

pub fn build(b: *std.Build) void {
    for (architectures) |architecture| {
        const name = @tagName(architecture.cpu);
        const library = b.addLibrary(.{
            .name = b.fmt("isolate-{s}", .{name}),
            .linkage = .dynamic,
            .root_module = module(b, architecture, &(shared ++ .{ "entry.c", "client_runtime.c" })),
        });
        const client = b.addExecutable(.{
            .name = b.fmt("isolate-{s}", .{name}),
            .linkage = .static,
            .root_module = module(b, architecture, &(shared ++ .{"client_program.c"})),
        });
        install(b, library, b.fmt("libisolate-{s}.so", .{name}));
        install(b, client, b.fmt("isolate-{s}", .{name}));
    }
}

fn module(b: *std.Build, architecture: Architecture, files: []const []const u8) *std.Build.Module {
    const made = b.createModule(.{
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
        made.addSystemIncludePath(std.Build.LazyPath.zig_lib.path(b, path));
    }
    made.addCSourceFiles(.{ .root = b.path("shim"), .files = files, .flags = &flags });
    return made;
}

fn install(b: *std.Build, artifact: *std.Build.Step.Compile, file: []const u8) void {
    // The library is a program too: the one that becomes a box's init.
    artifact.entry = .{ .symbol_name = "_start" };
    artifact.bundle_compiler_rt = false;
    artifact.link_eh_frame_hdr = false;
    artifact.build_id = .none;
    const step = b.addInstallFileWithDir(artifact.getEmittedBin(), .{ .custom = "../lib" }, file);
    b.getInstallStep().dependOn(&step.step);
}
