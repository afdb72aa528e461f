package io.widebeam.flow;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assertions.fail;

import io.widebeam.simulation.Simulator;
import io.widebeam.simulation.Simulator.Outcome;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.Random;
import java.util.function.UnaryOperator;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Random models over random histories end equal to what H2 makes of their SQL: 200 seeds, or as
 * many as {@code -Dwidebeam.seeds} says; 1,000 in the profile {@code slow}.
 */
class ModelSimulatorTest {
  private static final int SEEDS = Integer.getInteger("widebeam.seeds", 200);
  private static final long FIRST = Long.getLong("widebeam.seed", 1);

  /** So many may pass a bug by. */
  private static final int SEEDS_FOR_A_BUG = 200;

  private static Connection h2;

  @BeforeAll
  static void connect() throws SQLException {
    h2 = ModelOracle.connect();
  }

  @AfterAll
  static void disconnect() throws SQLException {
    h2.close();
  }

  @Test
  void anyHistoryOfAnyModelEndsEqualToItsQuery() {
    assertAllEqual(SEEDS);
  }

  @Test
  @Tag("slow")
  void aThousandHistoriesEndEqualToTheirQueries() {
    assertAllEqual(1000);
  }

  private static void assertAllEqual(int seeds) {
    Simulator simulator = simulator(query -> query);
    long crashes = 0;
    for (long seed = FIRST; seed < FIRST + seeds; seed++) {
      try {
        Outcome outcome = simulator.run(seed);
        crashes += outcome.crashes();
        if (outcome.failure().isPresent()) {
          failed(seed, simulator.smallestCase(outcome));
        }
      } catch (FlowException e) {
        failed(seed, "refused: " + e.getMessage());
      }
    }
    assertThat(crashes).as("crashes").isGreaterThanOrEqualTo(seeds / 4);
  }

  private static void failed(long seed, String how) {
    fail(
        ("seed %d; again with ./mvnw test -pl pipelines -am -Dtest=ModelSimulatorTest#anyHistory*"
                + " -Dwidebeam.seed=%d -Dwidebeam.seeds=1"
                + " -Dsurefire.failIfNoSpecifiedTests=false%n%s%n%s")
            .formatted(seed, seed, RandomModels.of(new Random(seed)), how));
  }

  private static Simulator simulator(UnaryOperator<String> asked) {
    return Simulator.of(
        random -> {
          RandomModels models = RandomModels.of(random);
          ModelOracle oracle = new ModelOracle(h2, models, asked);
          return FlowSimulation.plan(
              models.flow(),
              models.tables(),
              (target, derived) -> derived.judgedBy(oracle.judge(target)));
        });
  }

  /** What models' rows would be if the engine had a bug: its name, and how to change the query. */
  static List<Arguments> bugs() {
    return List.of(
        bug("rows without a match are lost", "LEFT JOIN", "JOIN"),
        bug("rows without a match stay", "(?<!LEFT) JOIN", " LEFT JOIN"),
        bug("what is unknown counts as unequal", "<>|!=", "IS DISTINCT FROM"),
        bug("what is unknown is not false either", "NOT \\(([^()]*)\\)", "($1) IS NOT TRUE"),
        bug("a distinct count counts all", "(?i)count\\(distinct ", "COUNT("),
        bug("rows with nothing are counted", "(?i)count\\([^()]*\\)", "COUNT(*)"),
        bug("the least is taken for the greatest", "MIN\\(", "MAX("),
        bug("a mean has no digits", "ROUND\\(AVG\\((.*?), [0-9]+\\) AS m", "ROUND(AVG($1, 0) AS m"),
        bug(
            "nothing in a text is an empty text",
            "(CAST\\([^()]* AS VARCHAR\\))",
            "IFNULL($1, '')"),
        bug("groups that HAVING leaves out stay", "\\) g WHERE .*", ") g"),
        bug("equal rows are one", "SELECT (?!DISTINCT|COUNT)", "SELECT DISTINCT "));
  }

  private static Arguments bug(String name, String right, String wrong) {
    return Arguments.of(name, (UnaryOperator<String>) query -> query.replaceAll(right, wrong));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("bugs")
  void aBugIsFound(String bug, UnaryOperator<String> asked) {
    Simulator simulator = simulator(asked);
    long passed =
        LongStream.rangeClosed(1, SEEDS_FOR_A_BUG)
            .takeWhile(seed -> !isFound(simulator, seed))
            .count();
    assertThat(passed).as("seeds that did not find that " + bug).isLessThan(SEEDS_FOR_A_BUG);
  }

  /** Whether rows differ; that the changed query is no SQL any more does not count. */
  private static boolean isFound(Simulator simulator, long seed) {
    try {
      return simulator
          .run(seed)
          .failure()
          .filter(failure -> failure.getMessage().contains("differs from what H2 makes"))
          .isPresent();
    } catch (IllegalStateException e) {
      return false;
    }
  }
}
