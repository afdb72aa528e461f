package io.widebeam.runner.bench;

import picocli.CommandLine.Command;

/** {@code widebeam bench}: measures the order view on this machine. */
@Command(
    name = "bench",
    description =
        "Measures how fast the order view loads, how soon a change is visible, and what a crash does.",
    subcommands = {LoadCommand.class, LatencyCommand.class, CrashCommand.class},
    synopsisSubcommandLabel = "(load | latency | crash)")
public final class BenchCommand {}
