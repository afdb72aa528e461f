package io.widebeam.runner.bench;

import picocli.CommandLine.Command;

/** {@code widebeam bench}: measures the order view on this machine. */
@Command(
    name = "bench",
    description =
        "Measures how fast the order view loads, how soon a change is visible, what a crash does, and"
            + " what hours do.",
    subcommands = {LoadCommand.class, LatencyCommand.class, CrashCommand.class, SoakCommand.class},
    synopsisSubcommandLabel = "(load | latency | crash | soak)")
public final class BenchCommand {}
