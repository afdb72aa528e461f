package io.widebeam.flow;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The models of a flow file. */
class ModelsYamlTest {
  private static final String CONNECTIONS =
      """
      name: Warehouse
      connections:
        tp: {type: mysql, host: localhost, database: tptest, user: cdc, password: ""}
        ap: {type: jdbc, url: "jdbc:postgresql://localhost/aptest", user: dwh, password: ""}
      """;

  @TempDir private Path directory;

  private Flow parse(String models) throws IOException {
    Path file = directory.resolve("flow.yaml");
    Files.writeString(file, CONNECTIONS + models);
    return FlowYaml.parse(file);
  }

  private void write(String file, String sql) throws IOException {
    Path path = directory.resolve(file);
    Files.createDirectories(path.getParent());
    Files.writeString(path, sql);
  }

  @Test
  void modelsAreTheFilesOfAPathBesideTheFlowFile() throws IOException {
    write("models/b.sql", "select order_id from orders");
    write("models/a.sql", "select pay_id from orders_pay");
    write("models/deeper/c.sql", "select pay_id from orders_pay");
    write("models/notes.txt", "no model");

    assertThat(parse("models: models/*.sql").models())
        .containsExactly(
            new Model(
                "a",
                directory.resolve("models/a.sql").toString(),
                "select pay_id from orders_pay",
                Optional.empty(),
                Optional.empty(),
                Duration.ofSeconds(1)),
            new Model(
                "b",
                directory.resolve("models/b.sql").toString(),
                "select order_id from orders",
                Optional.empty(),
                Optional.empty(),
                Duration.ofSeconds(1)));
    assertThat(parse("models: models/**.sql").models()).hasSize(3);
  }

  @Test
  void theLongFormNamesConnectionsAndAPeriod() throws IOException {
    write("models/a.sql", "select count(*) as n from orders");
    write("more/b.sql", "select count(*) as n from orders");

    Flow flow = parse("models: [{files: models/*.sql, from: tp, to: ap, every: 1m}, more/b.sql]");

    assertThat(flow.models().get(0))
        .isEqualTo(
            Model.read(directory.resolve("models/a.sql"))
                .from("tp")
                .to("ap")
                .every(Duration.ofMinutes(1)));
    assertThat(flow.models().get(1)).isEqualTo(Model.read(directory.resolve("more/b.sql")));
  }

  @Test
  void mistakesInModelsAreNamedWithThoseOfTheFlow() throws IOException {
    write("models/a.sql", "select order_id\nfrom orders\norder by 1");
    write("other/a.sql", "select order_id from orders");

    FlowException problems =
        catchThrowableOfType(
            FlowException.class,
            () ->
                parse(
                    """
                    models:
                      - models/*.sql
                      - {files: other/*.sql, to: tp, often: 1m}
                      - none/*.sql
                    """));

    assertThat(problems.getMessage().replace(directory + "/", ""))
        .isEqualTo(
            """
            models/a.sql:3:1: ORDER BY is not supported: a table's rows have no order
                leave it out, and order the rows when reading them
            flow.yaml:7:34: unknown key `often` in `models`
                supported keys: files, from, to, every
            flow.yaml:7:13: there are two models called `a`
                call one of the files otherwise
            flow.yaml:7:13: `tp` is no target
                name a connection that is one
            flow.yaml:8:5: there are no files like `none/*.sql`
                the path is relative to the flow file's directory; * stands for any name, ** for directories too""");
  }
}
