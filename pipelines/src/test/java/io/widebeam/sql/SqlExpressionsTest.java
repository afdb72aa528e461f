package io.widebeam.sql;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.widebeam.change.BsonBuffer;
import io.widebeam.change.BsonRow;
import io.widebeam.view.RowException;
import java.util.List;
import org.bson.BsonDocument;
import org.bson.RawBsonDocument;
import org.bson.codecs.BsonDocumentCodec;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SqlExpressionsTest {
  private static final List<SqlColumn> COLUMNS =
      List.of(
          new SqlColumn("id", SqlType.INTEGER),
          new SqlColumn("Big", SqlType.decimal(20, 0)),
          new SqlColumn("price", SqlType.decimal(10, 2)),
          new SqlColumn("any_number", SqlType.ANY_DECIMAL),
          new SqlColumn("weight", SqlType.DOUBLE),
          new SqlColumn("name", SqlType.TEXT),
          new SqlColumn("paid", SqlType.BOOLEAN),
          new SqlColumn("day", SqlType.DATE),
          new SqlColumn("at", SqlType.DATETIME),
          new SqlColumn("raw", SqlType.BYTES),
          new SqlColumn("json", SqlType.OTHER),
          new SqlColumn("none", SqlType.INTEGER),
          new SqlColumn("nothing", SqlType.TEXT),
          new SqlColumn("unknown", SqlType.BOOLEAN),
          new SqlColumn("never", SqlType.DATETIME));

  private static final byte[] ROW =
      bytes(
          """
          {id: 7, Big: {"$numberDecimal": "18446744073709551615"}, price: {"$numberDecimal": "19.90"},
           any_number: {"$numberDecimal": "1.5"}, weight: 2.5, name: "Zoë", paid: true,
           day: {"$date": "1969-12-31T00:00:00Z"}, at: {"$date": "2024-02-29T13:05:09.250Z"},
           raw: {"$binary": {"base64": "AQI=", "subType": "00"}}, json: {a: [1]},
           none: null, nothing: null, unknown: null, never: null}
          """);

  private static byte[] bytes(String json) {
    return BsonRow.bytes(new RawBsonDocument(BsonDocument.parse(json), new BsonDocumentCodec()));
  }

  private static SqlExpressions expressions() {
    return SqlExpressions.over(COLUMNS).ofTable("orders");
  }

  private static String value(String expression) {
    return value(expression, ROW);
  }

  /** The value as it stands in a document, in single quotes. */
  private static String value(String expression, byte[] row) {
    BsonBuffer out = new BsonBuffer();
    int start = out.startDocument();
    expressions().compile(expression).write(row, BsonBuffer.fieldName("v"), out);
    out.end(start);
    String json = out.toDocument().toJson();
    return json.substring("{\"v\": ".length(), json.length() - 1).replace('"', '\'');
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '"',
      textBlock =
          """
          id + 1                           | 8
          ID * 2 - `id`                    | 7
          orders.id % 4                    | 3
          -id                              | -7
          Big + 1                          | {'$numberDecimal': '18446744073709551616'}
          Big = 18446744073709551615       | true
          Big > 9223372036854775807        | true
          price * 2                        | {'$numberDecimal': '39.80'}
          price * id                       | {'$numberDecimal': '139.30'}
          price = 19.9                     | true
          price > '10'                     | true
          id / 2                           | {'$numberDecimal': '3.5000'}
          price / 3                        | {'$numberDecimal': '6.633333'}
          weight / 2                       | 1.25
          any_number * 2                   | {'$numberDecimal': '3.0'}
          COALESCE(any_number, price)      | {'$numberDecimal': '1.5'}
          round(price / 3, 2)              | {'$numberDecimal': '6.63'}
          truncate(price, 1)               | {'$numberDecimal': '19.9'}
          ceil(price)                      | {'$numberDecimal': '20'}
          cast(price as signed)            | 20
          cast('12.345' as decimal(10, 2)) | {'$numberDecimal': '12.35'}
          greatest(1, id, 3)               | 7
          abs(-price)                      | {'$numberDecimal': '19.90'}
          id = 7.0                         | true
          weight > price                   | false
          id & 3                           | 3
          """)
  void numbersAreExact(String expression, String expected) {
    assertThat(value(expression)).isEqualTo(expected);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '"',
      textBlock =
          """
          7 / 0      | null
          price / 0  | null
          weight / 0 | null
          id % 0     | null
          mod(id, 0) | null
          """)
  void nothingIsDividedByZero(String expression, String expected) {
    assertThat(value(expression)).isEqualTo(expected);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '"',
      textBlock =
          """
          none = 1                                                         | null
          none <> 1                                                        | null
          none = none                                                      | null
          none IS NULL                                                     | true
          none IS NOT NULL                                                 | false
          NOT unknown                                                      | null
          unknown AND FALSE                                                | false
          unknown AND TRUE                                                 | null
          unknown OR TRUE                                                  | true
          unknown OR FALSE                                                 | null
          unknown IS TRUE                                                  | false
          paid IS NOT FALSE                                                | true
          id IN (1, 7)                                                     | true
          id IN (1, none)                                                  | null
          id NOT IN (1, none)                                              | null
          id NOT IN (7, none)                                              | false
          none IN (1, 2)                                                   | null
          id IN (1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22) | true
          id BETWEEN 1 AND 7                                               | true
          id BETWEEN none AND 8                                            | null
          id BETWEEN none AND 6                                            | false
          nothing LIKE '%'                                                 | null
          "name || nothing"                                                | null
          none + 1                                                         | null
          CASE WHEN none = 1 THEN 'a' ELSE 'b' END                         | 'b'
          CASE WHEN none = 1 THEN 1 END                                    | null
          """)
  void logicHasThreeValues(String expression, String expected) {
    assertThat(value(expression)).isEqualTo(expected);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '"',
      textBlock =
          """
          name = 'Zoë'                | true
          name = 'zoë'                | false
          name = 'Zoë '               | false
          lower(name) = 'zoë'         | true
          name LIKE 'Z%'              | true
          name LIKE 'z%'              | false
          name LIKE '_o_'             | true
          name NOT LIKE '%x%'         | true
          '50%' LIKE '50\\%'          | true
          '505' LIKE '50\\%'          | false
          name REGEXP 'Z.*'           | true
          name IN ('a', 'Zoë', 'ccc') | true
          name = '日本'                 | false
          """)
  void textsAreComparedExactly(String expression, String expected) {
    assertThat(value(expression)).isEqualTo(expected);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '"',
      textBlock =
          """
          concat(name, '-', id)                                    | 'Zoë-7'
          concat(name, nothing)                                    | null
          concat(price, '/', weight, '/', at, '/', day, '/', paid) | '19.90/2.5/2024-02-29 13:05:09.250/1969-12-31/1'
          concat_ws('-', name, nothing, id)                        | 'Zoë-7'
          upper(name)                                              | 'ZOË'
          lcase(name)                                              | 'zoë'
          length(name)                                             | 4
          char_length(name)                                        | 3
          substring(name, 2)                                       | 'oë'
          substr(name, 1, 2)                                       | 'Zo'
          left(name, 1)                                            | 'Z'
          right(name, 2)                                           | 'oë'
          replace(name, 'Z', 'J')                                  | 'Joë'
          instr(name, 'o')                                         | 2
          locate('o', name)                                        | 2
          substring_index('a.b.c', '.', 2)                         | 'a.b'
          substring_index('a.b.c', '.', -1)                        | 'c'
          substring_index('abc', '.', 1)                           | 'abc'
          lpad(name, 5, '*')                                       | '**Zoë'
          lpad(nothing, 5, '*')                                    | null
          char_length(lpad(nothing, 5, '*'))                       | null
          char_length(rpad(nothing, 5, '*'))                       | null
          trim('  x ')                                             | 'x'
          cast(price as char)                                      | '19.90'
          CASE WHEN id = 7 THEN 'a' ELSE 'bbbbb' END               | 'a'
          concat('日本', name)                                       | '日本Zoë'
          """)
  void textsAreCutAndJoined(String expression, String expected) {
    assertThat(value(expression)).isEqualTo(expected);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '"',
      textBlock =
          """
          if(paid, 'yes', 'nope') | 'yes'
          if(none > 3, 1, 0)      | 0
          ifnull(nothing, 'x')    | 'x'
          isnull(nothing)         | true
          nullif(id, 7)           | null
          id != 3 && paid         | true
          paid = 1                | true
          pow(2, 3)               | 8.0
          id = '7'                | true
          '5' + 1                 | 6
          """)
  void whatMySqlCallsOtherwiseIsUnderstood(String expression, String expected) {
    assertThat(value(expression)).isEqualTo(expected);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '"',
      textBlock =
          """
          day                                  | {'$date': {'$numberLong': '-86400000'}}
          day < '1970-01-01'                   | true
          day = DATE '1969-12-31'              | true
          day IN ('1969-12-31')                | true
          at >= '2024-02-29'                   | true
          at > '2024-02-29 13:05:09'           | true
          at < TIMESTAMP '2024-02-29 13:05:10' | true
          at > day                             | true
          date(at)                             | {'$date': '2024-02-29T00:00:00Z'}
          cast(at as date) = date(at)          | true
          cast('2024-01-01' as datetime)       | {'$date': '2024-01-01T00:00:00Z'}
          year(at)                             | 2024
          month(at) + day(at)                  | 31
          hour(at)                             | 13
          quarter(at)                          | 1
          week(at)                             | 8
          dayofweek(at)                        | 5
          weekday(at)                          | 3
          dayname(at)                          | 'Thursday'
          monthname(at)                        | 'February'
          extract(year from day)               | 1969
          at + INTERVAL 1 DAY                  | {'$date': '2024-03-01T13:05:09.25Z'}
          date_add(day, interval 1 month)      | {'$date': '1970-01-31T00:00:00Z'}
          date_sub(at, interval 2 hour)        | {'$date': '2024-02-29T11:05:09.25Z'}
          datediff(at, day)                    | 19783
          timestampdiff(day, day, at)          | 19783
          last_day(at)                         | {'$date': '2024-02-29T00:00:00Z'}
          unix_timestamp(at)                   | 1709211909
          from_unixtime(0)                     | {'$date': '1970-01-01T00:00:00Z'}
          never > '2024-01-01'                 | null
          """)
  void datesAreInUtc(String expression, String expected) {
    assertThat(value(expression)).isEqualTo(expected);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '"',
      textBlock =
          """
          date_format(at, '%Y%m%d')                                    | '20240229'
          date_format(at, '%W %D %M %y %l:%i:%s.%f %p')                | 'Thursday 29th February 24 1:05:09.250000 PM'
          date_format(at, '%T %r %j %U %u %v %x %a %b %c %e %k %%')    | '13:05:09 01:05:09 PM 060 08 09 09 2024 Thu Feb 2 29 13 %'
          date_format('2024-01-05', '%X-%V')                           | '2023-53'
          date_format(day, '%Y-%m-%d %H:%i:%s')                        | '1969-12-31 00:00:00'
          date_format(never, '%Y')                                     | null
          str_to_date(date_format(at, '%Y%m%d'), '%Y%m%d')             | {'$date': '2024-02-29T00:00:00Z'}
          str_to_date(concat(date_format(at, '%Y%m'), '01'), '%Y%m%d') | {'$date': '2024-02-01T00:00:00Z'}
          str_to_date('5 March, 2024 03:04 PM', '%e %M, %Y %h:%i %p')  | {'$date': '2024-03-05T15:04:00Z'}
          str_to_date('2023-02-29', '%Y-%m-%d')                        | null
          str_to_date('x', '%Y-%m-%d')                                 | null
          str_to_date(nothing, '%Y')                                   | null
          """)
  void datesAreFormattedAndReadAsMySqlDoes(String expression, String expected) {
    assertThat(value(expression)).isEqualTo(expected);
  }

  @Test
  void aColumnAloneIsCopiedWhateverItIs() {
    assertThat(value("json")).isEqualTo("{'a': [1]}");
    assertThat(value("Big")).isEqualTo("{'$numberDecimal': '18446744073709551615'}");
    assertThat(value("raw")).contains("AQI=");
    assertThat(value("json IS NULL")).isEqualTo("false");
    assertThat(value("name", bytes("{id: 1}"))).isEqualTo("null");
  }

  @Test
  void namesOfDaysAndMonthsAreThoseOfTheTimeWhateverItIs() {
    SqlExpressions expressions =
        SqlExpressions.over(List.of(new SqlColumn("at", SqlType.DATETIME)));
    byte[] before1970 = bytes("{at: {$date: '1969-12-31T23:59:59Z'}}");

    assertThat(expressions.compileCondition("dayname(at) = 'Wednesday'").matches(before1970))
        .isTrue();
    assertThat(expressions.compileCondition("monthname(at) = 'December'").matches(before1970))
        .isTrue();
    assertThat(expressions.compileCondition("last_day(at) = '1969-12-31'").matches(before1970))
        .isTrue();
    assertThat(expressions.compileCondition("dayname(at) <> 'x'").matches(bytes("{at: null}")))
        .isFalse();
    assertThat(expressions.compileCondition("monthname(at) <> 'x'").matches(bytes("{at: null}")))
        .isFalse();
  }

  @Test
  void nothingStandsForANullBetweenSeparators() {
    assertThat(value("concat_ws('-', 'a', nothing)")).isEqualTo("'a'");
    assertThat(value("concat_ws('-', nothing, 'b', nothing, 3)")).isEqualTo("'b-3'");
    assertThat(value("concat_ws('-', '', 'b')")).isEqualTo("'-b'");
    assertThat(value("concat_ws('-', nothing, nothing)")).isEqualTo("''");
    assertThat(value("concat_ws(nothing, 'a', 'b')")).isEqualTo("null");
  }

  @Test
  void aColumnMayBeCalledLikeAFunctionWithoutBrackets() {
    CompiledExpression expression =
        SqlExpressions.over(List.of(new SqlColumn("user", SqlType.TEXT)))
            .compileCondition("user = 'u7'");

    assertThat(expression.matches(bytes("{user: 'u7'}"))).isTrue();
  }

  @Test
  void onlyWhatIsTrueMatches() {
    assertThat(expressions().compileCondition("id = 7").matches(ROW)).isTrue();
    assertThat(expressions().compileCondition("id = 8").matches(ROW)).isFalse();
    assertThat(expressions().compileCondition("none = 8").matches(ROW)).isFalse();
    assertThat(expressions().compileCondition("NOT (none = 8)").matches(ROW)).isFalse();
    assertThat(expressions().compileCondition("name = 'x'").matches(bytes("{}"))).isFalse();
  }

  @Test
  void valuesOfOtherBsonTypesAreTakenForWhatTheyAre() {
    byte[] row =
        bytes(
            "{id: {'$numberLong': '5'}, price: 3, any_number: '" + "9".repeat(40) + "', paid: 1}");
    assertThat(value("id + 1", row)).isEqualTo("6");
    assertThat(value("price * 2", row)).isEqualTo("{'$numberDecimal': '6'}");
    assertThat(value("any_number + 0", row)).isEqualTo("'" + "9".repeat(40) + "'");
    assertThat(value("NOT paid", row)).isEqualTo("false");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '"',
      textBlock =
          """
          9223372036854775807 + id | `9223372036854775807 + id` fails: long overflow
          cast(name as signed)     | `cast(name as signed)` fails: For input string: 'Zoë'
          """)
  void whatFailsOnARowSaysWhy(String expression, String message) {
    assertThatThrownBy(() -> value(expression))
        .isInstanceOf(RowException.class)
        .hasMessage(message.replace('\'', '"'));
  }

  @Test
  void aValueThatIsNotOfItsColumnsTypeFails() {
    assertThatThrownBy(() -> value("name = 'x'", bytes("{name: 5}")))
        .isInstanceOf(RowException.class)
        .hasMessage(
            "`name = 'x'`: column `name` holds a value of BSON type 16 where a text should be");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '"',
      textBlock =
          """
          nope = 1 OR pricee > 2            | 1:1 table `orders` has no column `nope`; 1:13 table `orders` has no column `pricee`
          other.id = 1                      | 1:1 table `orders` has no column `other.id`
          foo(id) + bar(nope)               | 1:1 there is no function `foo`; 1:11 there is no function `bar`; 1:15 table `orders` has no column `nope`
          id +                              | 1:4 not an SQL expression: Encountered '+ <EOF>'
          day = 1 AND AND                   | 1:9 not an SQL expression: Incorrect syntax near the keyword 'AND'
          sum(price) > 1                    | 1:1 `sum` is an aggregate, which is not supported here
          count(*)                          | 1:1 `count` is an aggregate, which is not supported here
          row_number() OVER (ORDER BY id)   | 1:1 a window function is not supported
          id IN (SELECT 1)                  | 1:8 a subquery is not supported
          EXISTS (SELECT 1 FROM t)          | 1:8 a subquery is not supported
          at > now()                        | 1:6 `now` changes without the row, so the document would not follow it
          current_date                      | 1:1 `current_date` changes without the row, so the document would not follow it
          id = ?                            | 1:6 `?` stands for a value that nobody gives
          if(id)                            | 1:1 `if` does not take 1 argument
          cast(id AS foo)                   | 1:12 there is no type `foo` to cast to
          day < 'x'                         | 1:1 'x' is no value of type DATE
          json = 'x'                        | 1:1 Cannot apply '=' to arguments of type '<OTHER> = <CHAR(1)>'. Supported form(s): '<COMPARABLE_TYPE> = <COMPARABLE_TYPE>'
          interval 1 day                    | 1:1 `interval 1 day` is of type INTERVAL_DAY, which has no value in BSON
          """)
  void everyMistakeIsNamedWithItsPlace(String expression, String expected) {
    SqlException mistakes =
        catchThrowableOfType(SqlException.class, () -> expressions().compile(expression));
    assertThat(
            mistakes.mistakes().stream()
                .map(m -> m.line() + ":" + m.column() + " " + m.what().replace('"', '\''))
                .toList())
        .containsExactly(expected.split("; "));
  }

  @Test
  void aConditionIsTrueOrFalse() {
    assertThatThrownBy(() -> expressions().compileCondition("id + 1"))
        .isInstanceOf(SqlException.class)
        .hasMessage("`id + 1` is not a condition: it is true or false of no row");
  }

  @Test
  void whatAnExpressionNeedsAndGivesIsKnown() {
    CompiledExpression expression = expressions().compile("CONCAT(NAME, id)");
    assertThat(expression.columns()).containsExactly("id", "name");
    assertThat(expression.kind()).isEqualTo(SqlType.Kind.TEXT);
    assertThat(expressions().compile("price / 2").kind()).isEqualTo(SqlType.Kind.DECIMAL);
    assertThat(expressions().compile("json").kind()).isEqualTo(SqlType.Kind.OTHER);
  }
}
