package io.widebeam.runner.bench;

import picocli.CommandLine.Command;

/** {@code widebeam bench}: measures the order view on this machine. */
@Command(
    name = "bench",
    description = "Measures how fast the order view loads, and how soon a change is visible.",
    subcommands = {LoadCommand.class, LatencyCommand.class},
    synopsisSubcommandLabel = "(load | latency)")
public final class BenchCommand {}
