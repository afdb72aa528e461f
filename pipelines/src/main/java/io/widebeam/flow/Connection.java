package io.widebeam.flow;

import java.io.Serializable;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;

/** A database that a flow reads from or writes to, under the name by which its tables are named. */
public sealed interface Connection extends Serializable {

  /** The name: ASCII letters, digits, {@code _} and {@code -}. */
  String name();

  static Database mysql(
      String name, String host, int port, String database, String user, String password) {
    return new Database(
        name, Engine.MYSQL, host, port, database, user, Secret.of(password), Map.of());
  }

  static Database mariadb(
      String name, String host, int port, String database, String user, String password) {
    return new Database(
        name, Engine.MARIADB, host, port, database, user, Secret.of(password), Map.of());
  }

  static Database postgresql(
      String name, String host, int port, String database, String user, String password) {
    return new Database(
        name, Engine.POSTGRESQL, host, port, database, user, Secret.of(password), Map.of());
  }

  /** Any other Debezium connector; see {@link Connector}. */
  static Connector connector(
      String name,
      String connectorClass,
      String url,
      String user,
      String password,
      Map<String, String> properties) {
    return new Connector(
        name, connectorClass, Secret.of(url), user, Secret.of(password), properties);
  }

  static Mongo mongodb(String name, String uri, String database) {
    return new Mongo(name, Secret.of(uri), database);
  }

  static Jdbc jdbc(String name, String url, String user, String password) {
    return new Jdbc(name, Secret.of(url), user, Secret.of(password), Map.of());
  }

  /** What can be read from. */
  sealed interface Source extends Connection {
    /** Debezium properties for the connector, over those that Widebeam sets. */
    Map<String, String> properties();
  }

  /** What can be written to. */
  sealed interface Target extends Connection {}

  /** The databases whose settings Widebeam knows. */
  enum Engine {
    MYSQL("mysql", 3306),
    MARIADB("mariadb", 3306),
    POSTGRESQL("postgresql", 5432);

    private final String type;
    private final int defaultPort;

    Engine(String type, int defaultPort) {
      this.type = type;
      this.defaultPort = defaultPort;
    }

    /** The {@code type} that a flow file gives it. */
    public String type() {
      return type;
    }

    public int defaultPort() {
      return defaultPort;
    }
  }

  /**
   * A source that Widebeam knows.
   *
   * @param engine as declared; a MariaDB server declared as MySQL, or the reverse, is told apart
   *     when the flow is planned
   */
  record Database(
      String name,
      Engine engine,
      String host,
      int port,
      String database,
      String user,
      Secret password,
      Map<String, String> properties)
      implements Source {
    public Database {
      Objects.requireNonNull(name, "name");
      Objects.requireNonNull(engine, "engine");
      Objects.requireNonNull(host, "host");
      Objects.requireNonNull(database, "database");
      Objects.requireNonNull(user, "user");
      Objects.requireNonNull(password, "password");
      properties = Map.copyOf(properties);
    }

    /** This connection with one more property for the connector. */
    public Database withProperty(String key, String value) {
      Map<String, String> more = new LinkedHashMap<>(properties);
      more.put(key, value);
      return new Database(name, engine, host, port, database, user, password, more);
    }

    /** Without the properties: some of those are secrets too. */
    @Override
    public String toString() {
      return "%s %s (%s@%s:%d/%s)".formatted(engine.type(), name, user, host, port, database);
    }
  }

  /**
   * A source read by any other Debezium connector on the class path. Widebeam looks up tables and
   * keys through the database's JDBC driver, and passes the user, the password and the properties
   * to the connector.
   *
   * @param connectorClass the connector's class
   * @param url the JDBC URL to look up tables by; secret, since it may hold a password
   * @param properties the connector's properties, such as {@code database.hostname}
   */
  record Connector(
      String name,
      String connectorClass,
      Secret url,
      String user,
      Secret password,
      Map<String, String> properties)
      implements Source {
    public Connector {
      Objects.requireNonNull(name, "name");
      Objects.requireNonNull(connectorClass, "connectorClass");
      Objects.requireNonNull(url, "url");
      Objects.requireNonNull(user, "user");
      Objects.requireNonNull(password, "password");
      properties = Map.copyOf(properties);
    }

    @Override
    public String toString() {
      return "%s %s (%s)".formatted(connectorClass, name, user);
    }
  }

  /**
   * A MongoDB database.
   *
   * @param uri the connection string; secret, since it may hold a password
   */
  record Mongo(String name, Secret uri, String database) implements Target {
    public Mongo {
      Objects.requireNonNull(name, "name");
      Objects.requireNonNull(uri, "uri");
      Objects.requireNonNull(database, "database");
    }

    @Override
    public String toString() {
      return "mongodb %s (%s)".formatted(name, database);
    }
  }

  /**
   * A warehouse behind a JDBC driver.
   *
   * @param url the JDBC URL; secret, since it may hold a password
   * @param properties for the driver
   */
  record Jdbc(String name, Secret url, String user, Secret password, Map<String, String> properties)
      implements Target {
    public Jdbc {
      Objects.requireNonNull(name, "name");
      Objects.requireNonNull(url, "url");
      Objects.requireNonNull(user, "user");
      Objects.requireNonNull(password, "password");
      properties = Map.copyOf(properties);
    }

    @Override
    public String toString() {
      return "jdbc %s (%s)".formatted(name, user);
    }
  }
}
