package io.widebeam.flow;

import static org.assertj.core.api.Assertions.assertThat;

import io.widebeam.sink.jdbc.ColumnType;
import io.widebeam.sink.jdbc.ColumnType.Kind;
import org.junit.jupiter.api.Test;

class SourceTypesTest {
  @Test
  void typesOfMySqlHoldEveryValueOfTheirColumns() {
    assertThat(SourceTypes.mysql("tinyint(1)", 0)).isEqualTo(ColumnType.of(Kind.INT16));
    assertThat(SourceTypes.mysql("smallint(5) unsigned", 0)).isEqualTo(ColumnType.of(Kind.INT32));
    assertThat(SourceTypes.mysql("int unsigned", 0)).isEqualTo(ColumnType.of(Kind.INT64));
    assertThat(SourceTypes.mysql("int(8) unsigned zerofill", 0))
        .isEqualTo(ColumnType.of(Kind.INT64));
    assertThat(SourceTypes.mysql("bigint(20)", 0)).isEqualTo(ColumnType.of(Kind.INT64));
    assertThat(SourceTypes.mysql("bigint unsigned", 0)).isEqualTo(ColumnType.decimal(20, 0));
    assertThat(SourceTypes.mysql("decimal(20,2)", 0)).isEqualTo(ColumnType.decimal(20, 2));
    assertThat(SourceTypes.mysql("float(7,3)", 0)).isEqualTo(ColumnType.of(Kind.FLOAT64));
    assertThat(SourceTypes.mysql("varchar(50)", 50)).isEqualTo(ColumnType.text(50));
    assertThat(SourceTypes.mysql("longtext", 4_294_967_295L)).isEqualTo(ColumnType.text(0));
    assertThat(SourceTypes.mysql("enum('a','b''(c)')", 4)).isEqualTo(ColumnType.text(4));
    assertThat(SourceTypes.mysql("bit(1)", 0)).isEqualTo(ColumnType.of(Kind.BOOLEAN));
    assertThat(SourceTypes.mysql("bit(9)", 0)).isEqualTo(ColumnType.binary(8));
    assertThat(SourceTypes.mysql("datetime(6)", 0)).isEqualTo(ColumnType.time(Kind.TIMESTAMP, 6));
    assertThat(SourceTypes.mysql("datetime", 0)).isEqualTo(ColumnType.time(Kind.TIMESTAMP, 0));
    assertThat(SourceTypes.mysql("timestamp", 0)).isEqualTo(ColumnType.of(Kind.INSTANT));
    assertThat(SourceTypes.mysql("time(3)", 0)).isEqualTo(ColumnType.time(Kind.DURATION, 3));
    assertThat(SourceTypes.mysql("json", 0)).isEqualTo(ColumnType.of(Kind.JSON));
  }

  @Test
  void typesOfPostgresHoldEveryValueOfTheirColumns() {
    assertThat(SourceTypes.postgres("integer")).isEqualTo(ColumnType.of(Kind.INT32));
    assertThat(SourceTypes.postgres("numeric")).isEqualTo(ColumnType.decimal(0, 0));
    assertThat(SourceTypes.postgres("numeric(10,2)")).isEqualTo(ColumnType.decimal(10, 2));
    assertThat(SourceTypes.postgres("numeric(5,-2)")).isEqualTo(ColumnType.decimal(7, 0));
    assertThat(SourceTypes.postgres("character varying(20)")).isEqualTo(ColumnType.text(20));
    assertThat(SourceTypes.postgres("timestamp(3) without time zone"))
        .isEqualTo(ColumnType.time(Kind.TIMESTAMP, 3));
    assertThat(SourceTypes.postgres("timestamp with time zone"))
        .isEqualTo(ColumnType.time(Kind.INSTANT, 6));
    assertThat(SourceTypes.postgres("time without time zone"))
        .isEqualTo(ColumnType.time(Kind.TIME, 6));
    assertThat(SourceTypes.postgres("integer[]")).isEqualTo(ColumnType.of(Kind.JSON));
    assertThat(SourceTypes.postgres("mood")).isEqualTo(ColumnType.text(0));
  }

  @Test
  void onlyConstantsAreWhatOlderRowsHave() {
    assertThat(SourceTypes.constant("5", true)).contains("5");
    assertThat(SourceTypes.constant("'it''s'", true)).contains("it's");
    assertThat(SourceTypes.constant("'it\\'s'", true)).contains("it's");
    assertThat(SourceTypes.constant("'it''s'::character varying", false)).contains("it's");
    assertThat(SourceTypes.constant("now()", false)).isEmpty();
    assertThat(SourceTypes.constant("NULL", true)).isEmpty();
    assertThat(SourceTypes.constant(null, true)).isEmpty();
  }
}
