package io.widebeam.sql;

import java.util.List;
import java.util.stream.Collectors;

/** An expression that cannot be compiled; carries every mistake that was found. */
public final class SqlException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final transient List<SqlMistake> mistakes;

  public SqlException(List<SqlMistake> mistakes) {
    super(mistakes.stream().map(SqlMistake::what).collect(Collectors.joining("; ")));
    this.mistakes = List.copyOf(mistakes);
  }

  public List<SqlMistake> mistakes() {
    return mistakes;
  }
}
