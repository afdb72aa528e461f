package io.widebeam.sql;

import java.io.Serializable;
import java.util.Objects;

/** A column that expressions may name. */
public record SqlColumn(String name, SqlType type) implements Serializable {
  public SqlColumn {
    Objects.requireNonNull(name, "name");
    Objects.requireNonNull(type, "type");
  }
}
