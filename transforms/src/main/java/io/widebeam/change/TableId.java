package io.widebeam.change;

import java.io.Serializable;

/**
 * Names one table of one source.
 *
 * @param source the connection's name; equal to the connector's {@code topic.prefix}
 * @param namespace the database (MySQL, MariaDB) or the schema (Postgres) that holds the table
 * @param name the table's own name
 */
public record TableId(String source, String namespace, String name) implements Serializable {
  @Override
  public String toString() {
    return source + "." + namespace + "." + name;
  }
}
