package io.widebeam.runner.cli;

import io.widebeam.flow.Connection;
import io.widebeam.flow.Flow;
import io.widebeam.runner.embedded.EmbeddedMongo;
import java.util.Optional;

/**
 * A flow with a target for every view: those that name none write to a server in this process.
 *
 * @param flow the flow, completed
 * @param server the server; empty if every view named its target
 */
record EmbeddedTarget(Flow flow, Optional<EmbeddedMongo> server) implements AutoCloseable {
  private static final String CONNECTION = "embedded";

  static EmbeddedTarget forViewsWithoutOne(Flow flow) {
    if (flow.views().stream().allMatch(view -> view.to().isPresent())) {
      return new EmbeddedTarget(flow, Optional.empty());
    }
    EmbeddedMongo server = EmbeddedMongo.start();
    return new EmbeddedTarget(
        flow.withDefaultTarget(Connection.mongodb(CONNECTION, server.uri(), flow.name())),
        Optional.of(server));
  }

  /** The server's address and database, for people. */
  Optional<String> address() {
    return server.map(
        running -> running.uri() + "/" + flow.name() + " (in memory, gone when this ends)");
  }

  @Override
  public void close() {
    server.ifPresent(EmbeddedMongo::close);
  }
}
