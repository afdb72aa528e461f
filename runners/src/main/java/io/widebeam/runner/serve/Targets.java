package io.widebeam.runner.serve;

import com.mongodb.ConnectionString;
import com.mongodb.MongoClientSettings;
import com.mongodb.client.MongoClient;
import com.mongodb.client.MongoClients;
import com.mongodb.client.MongoDatabase;
import io.widebeam.flow.Connection;
import io.widebeam.flow.Flow;
import io.widebeam.flow.TableRef;
import io.widebeam.flow.View;
import io.widebeam.sink.jdbc.JdbcTarget;
import io.widebeam.sink.jdbc.ReadPool;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.bson.BsonDocument;

/** What a flow writes, by {@code connection.table}; opened when it is first looked at. */
final class Targets implements AutoCloseable {
  private static final int WAIT_SECONDS = 5;

  private final Flow flow;
  private final Map<String, ReadPool> pools = new HashMap<>();
  private final Map<String, MongoClient> clients = new HashMap<>();

  Targets(Flow flow) {
    this.flow = flow;
  }

  /**
   * The tables, in the flow's order. Those that a pattern stands for are the ones that are there.
   *
   * @throws UnavailableException if a pattern's tables cannot be listed
   */
  Map<String, TargetTable> tables() throws UnavailableException {
    Map<String, TargetTable> tables = new LinkedHashMap<>();
    for (TableRef target : flow.targets()) {
      for (String name : names(target)) {
        TableRef table = new TableRef(target.connection(), name);
        tables.putIfAbsent(table.toString(), table(table));
      }
    }
    return tables;
  }

  Optional<TargetTable> find(String id) throws UnavailableException {
    TableRef wanted = TableRef.parse(id);
    for (TableRef target : flow.targets()) {
      if (target.connection().equals(wanted.connection())
          && target.matches(wanted.table())
          && names(target).contains(wanted.table())) {
        return Optional.of(table(wanted));
      }
    }
    return Optional.empty();
  }

  private List<String> names(TableRef target) throws UnavailableException {
    if (!target.isPattern()) {
      return List.of(target.table());
    }
    String connection = target.connection();
    Connection.Target open = target(connection);
    List<String> present =
        open instanceof Connection.Jdbc jdbc
            ? JdbcTable.namesOfTablesWith(View.DEFAULT_VERSION_FIELD, connection, pool(jdbc))
            : MongoTable.names(connection, database((Connection.Mongo) open));
    return present.stream().filter(target::matches).sorted().toList();
  }

  private TargetTable table(TableRef table) {
    String version = versionOf(table);
    Connection.Target target = target(table.connection());
    return target instanceof Connection.Jdbc jdbc
        ? new JdbcTable(table.connection(), pool(jdbc), table.table(), version)
        : new MongoTable(
            table.connection(),
            database((Connection.Mongo) target).getCollection(table.table(), BsonDocument.class),
            version);
  }

  private String versionOf(TableRef table) {
    return flow.views().stream()
        .filter(view -> view.to().equals(Optional.of(table)))
        .map(View::versionField)
        .findFirst()
        .orElse(View.DEFAULT_VERSION_FIELD);
  }

  private Connection.Target target(String name) {
    return flow.connections().stream()
        .filter(connection -> connection.name().equals(name))
        .map(Connection.Target.class::cast)
        .findFirst()
        .orElseThrow();
  }

  private synchronized ReadPool pool(Connection.Jdbc jdbc) {
    return pools.computeIfAbsent(
        jdbc.name(),
        name ->
            ReadPool.open(
                new JdbcTarget(
                    jdbc.url().reveal(),
                    jdbc.user(),
                    jdbc.password().reveal(),
                    jdbc.properties())));
  }

  private synchronized MongoDatabase database(Connection.Mongo mongo) {
    return clients
        .computeIfAbsent(
            mongo.name(),
            name ->
                MongoClients.create(
                    MongoClientSettings.builder()
                        .applyConnectionString(new ConnectionString(mongo.uri().reveal()))
                        .applyToClusterSettings(
                            cluster ->
                                cluster.serverSelectionTimeout(WAIT_SECONDS, TimeUnit.SECONDS))
                        .build()))
        .getDatabase(mongo.database());
  }

  @Override
  public synchronized void close() {
    pools.values().forEach(ReadPool::close);
    clients.values().forEach(MongoClient::close);
  }
}
