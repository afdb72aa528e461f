package io.widebeam.runner.state;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.widebeam.change.TableId;
import io.widebeam.flow.PlannedFlow;
import io.widebeam.flow.PlannedFlow.PlannedSource;
import io.widebeam.flow.PlannedFlow.PlannedTarget;
import io.widebeam.flow.PlannedFlow.PlannedView;
import io.widebeam.flow.Secret;
import io.widebeam.flow.TableDescription;
import io.widebeam.view.ViewNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.apache.beam.io.debezium.DebeziumIO.ConnectorConfiguration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class StateDirectoryTest {
  private static final Optional<StateBackend> ANY = Optional.empty();

  @TempDir private Path parent;

  private final List<String> messages = new ArrayList<>();

  private Path directory() {
    return parent.resolve("state");
  }

  private static PlannedFlow flow(String name, String collection, String uri) {
    TableId orders = new TableId("Shop", "shop", "orders");
    return new PlannedFlow(
        name,
        List.of(
            new PlannedSource(
                "Shop",
                ConnectorConfiguration.create().withPassword("marker-password"),
                List.of(new TableDescription(orders, List.of("id"), List.of("id"), 100, true)))),
        List.of(
            new PlannedView(
                ViewNode.root(orders, List.of("id"), List.of()),
                new PlannedTarget.Mongo("Docs", Secret.of(uri), "db", collection, "_version"))),
        Optional.empty());
  }

  private static final PlannedFlow FLOW = flow("flow", "orders", "mongodb://u:marker-password@h");

  private long generationAfter(PlannedFlow flow, Optional<StateBackend> backend, boolean fresh) {
    try (StateDirectory state = StateDirectory.open(directory())) {
      state.prepare(flow, backend, fresh, messages::add);
      return state.generation();
    }
  }

  private Path completeCheckpoint(long generation, String name) throws IOException {
    Path checkpoint =
        Files.createDirectories(directory().resolve(Long.toString(generation)).resolve(name));
    return Files.writeString(checkpoint.resolve("_metadata"), "not Flink's").getParent();
  }

  @Test
  void whatWasToldIsRememberedForAsLongAsTheGenerationLasts() throws IOException {
    long generation = generationAfter(FLOW, Optional.empty(), false);
    Path unused = completeCheckpoint(generation, "run-1/job/chk-1");
    try (StateDirectory state = StateDirectory.open(directory())) {
      state.prepare(FLOW, Optional.empty(), false, messages::add);
      assertThat(state.isToldLoaded()).isFalse();
      assertThat(state.hadRules()).isFalse();
      state.tellLoaded();
      state.haveRules();
    }
    try (StateDirectory state = StateDirectory.open(directory())) {
      state.prepare(FLOW, Optional.empty(), false, messages::add);
      assertThat(state.isToldLoaded()).isTrue();
      assertThat(state.hadRules()).isTrue();
      state.startGeneration();
      assertThat(state.isToldLoaded()).isFalse();
      assertThat(state.hadRules()).isFalse();
    }
  }

  @Test
  void twoRunsOnOneDirectoryDoNotMix() {
    try (StateDirectory first = StateDirectory.open(directory())) {
      assertThat(first.path()).isDirectory();
      assertThatThrownBy(() -> StateDirectory.open(directory()))
          .isInstanceOf(StateException.class)
          .hasMessageContaining("is in use by process " + ProcessHandle.current().pid())
          .hasMessageContaining("--state-dir");
      assertThat(StateDirectory.runningProcess(directory()))
          .hasValue(ProcessHandle.current().pid());
    }
    assertThat(StateDirectory.runningProcess(directory())).isEmpty();
    StateDirectory.open(directory()).close();
  }

  @Test
  void aRunGoesOnInTheGenerationOfTheLast() throws IOException {
    long first = generationAfter(FLOW, ANY, false);
    completeCheckpoint(first, "run-1/job/chk-1");

    assertThat(generationAfter(FLOW, ANY, false)).isEqualTo(first);
    assertThat(messages).isEmpty();
  }

  @Test
  void aRunThatNeverGotToACheckpointIsFollowedByANewGeneration() throws IOException {
    long first = generationAfter(FLOW, ANY, false);
    Files.createDirectories(
        directory().resolve(Long.toString(first)).resolve("run-1/job/chk-1/unfinished"));

    assertThat(generationAfter(FLOW, ANY, false)).isGreaterThan(first);
    assertThat(messages).singleElement().asString().contains("starting anew");
  }

  @Test
  void freshStartsANewGenerationAndForgetsTheOld() throws IOException {
    long first = generationAfter(FLOW, ANY, false);
    Path checkpoint = completeCheckpoint(first, "run-1/job/chk-1");

    assertThat(generationAfter(FLOW, ANY, true)).isGreaterThan(first);
    assertThat(checkpoint).doesNotExist();
  }

  @Test
  void theStateOfAnotherFlowIsRefusedEvenIfFresh() throws IOException {
    long first = generationAfter(FLOW, ANY, false);
    completeCheckpoint(first, "run-1/job/chk-1");

    PlannedFlow other = flow("other", "orders", "mongodb://h");
    for (boolean fresh : List.of(false, true)) {
      assertThatThrownBy(() -> generationAfter(other, ANY, fresh))
          .isInstanceOf(StateException.class)
          .hasMessageContaining("holds the state of the flow flow, not of other")
          .hasMessageContaining("choose another --state-dir");
    }
  }

  @Test
  void aFlowOfAnotherShapeIsRefusedAndToldWhatIsDifferent() throws IOException {
    long first = generationAfter(FLOW, ANY, false);
    completeCheckpoint(first, "run-1/job/chk-1");

    PlannedFlow changed = flow("flow", "renamed", "mongodb://h");
    assertThatThrownBy(() -> generationAfter(changed, ANY, false))
        .isInstanceOf(StateException.class)
        .hasMessageContaining("state: view Docs.orders")
        .hasMessageContaining("now:   view Docs.renamed")
        .hasMessageContaining("--fresh");
    assertThat(generationAfter(changed, ANY, true)).isGreaterThan(first);
  }

  @Test
  void aViewThatIsAddedHasAGenerationOfItsOwnUntilTheNextOfTheFlow() throws IOException {
    long first = generationAfter(FLOW, ANY, false);
    completeCheckpoint(first, "run-1/job/chk-1");
    PlannedView old = FLOW.views().get(0);
    PlannedView added = flow("flow", "added", "mongodb://h").views().get(0);
    PlannedFlow more =
        new PlannedFlow("flow", FLOW.sources(), List.of(added, old), Optional.empty());

    PlannedFlow firstRun = inGenerations(more, false);
    assertThat(firstRun.generation()).isEqualTo(first);
    assertThat(firstRun.generationOf(old)).isEqualTo(first);
    assertThat(firstRun.generationOf(added)).isGreaterThan(first);
    assertThat(messages).anyMatch(message -> message.contains("tables of Docs.added are read now"));

    PlannedFlow secondRun = inGenerations(more, false);
    assertThat(secondRun.generationOf(added)).isEqualTo(firstRun.generationOf(added));
    assertThat(secondRun.generationOf(old)).isEqualTo(first);

    PlannedFlow fresh = inGenerations(more, true);
    assertThat(fresh.generationOf(added)).isEqualTo(fresh.generation());
    assertThat(fresh.generation()).isGreaterThan(secondRun.generationOf(added));
  }

  @Test
  void aViewWhoseLoadIsInNoCheckpointBeginsAnew() throws IOException {
    long first = generationAfter(FLOW, ANY, false);
    Path before = completeCheckpoint(first, "run-1/job/chk-1");
    PlannedView added = flow("flow", "added", "mongodb://h").views().get(0);
    PlannedFlow more =
        new PlannedFlow(
            "flow", FLOW.sources(), List.of(added, FLOW.views().get(0)), Optional.empty());

    try (StateDirectory state = StateDirectory.open(directory())) {
      state.prepare(more, ANY, false, messages::add);
      long began = state.inGeneration(more).generationOf(added);
      Instant then = Instant.ofEpochMilli(began >> 12);

      state.resume(new Checkpoint(before, then.plusMillis(1)));
      assertThat(state.inGeneration(more).generationOf(added)).isEqualTo(began);
      state.resume(new Checkpoint(before, then.minusMillis(1)));
      assertThat(state.inGeneration(more).generationOf(added)).isGreaterThan(began);
      assertThat(state.generation()).isEqualTo(first);
    }
  }

  private PlannedFlow inGenerations(PlannedFlow flow, boolean fresh) {
    try (StateDirectory state = StateDirectory.open(directory())) {
      state.prepare(flow, ANY, fresh, messages::add);
      assertThat(state.isAltered()).isEqualTo(!fresh);
      return state.inGeneration(flow);
    }
  }

  @Test
  void addressesAndPasswordsAreNoPartOfTheShapeNorOfTheFiles() throws IOException {
    long first = generationAfter(FLOW, ANY, false);
    completeCheckpoint(first, "run-1/job/chk-1");

    assertThat(generationAfter(flow("flow", "orders", "mongodb://elsewhere"), ANY, false))
        .isEqualTo(first);
    assertThat(Files.readString(directory().resolve("flow.properties")))
        .doesNotContain("marker-password");
  }

  @Test
  void aBackendStaysUntilTheNextGeneration() throws IOException {
    long first = generationAfter(FLOW, Optional.of(StateBackend.ROCKSDB), false);
    completeCheckpoint(first, "run-1/job/chk-1");

    try (StateDirectory state = StateDirectory.open(directory())) {
      state.prepare(FLOW, ANY, false, messages::add);
      assertThat(state.backend()).isEqualTo(StateBackend.ROCKSDB);
    }
    assertThatThrownBy(() -> generationAfter(FLOW, Optional.of(StateBackend.HEAP), false))
        .isInstanceOf(StateException.class)
        .hasMessageContaining("--state-backend=rocksdb")
        .hasMessageContaining("--fresh");
    assertThat(generationAfter(FLOW, Optional.of(StateBackend.HEAP), true)).isGreaterThan(first);
  }

  @Test
  void checkpointsAreTriedFromTheLastRunsLastToTheFirst() throws IOException {
    long generation = generationAfter(FLOW, ANY, false);
    completeCheckpoint(generation, "run-1/job/chk-9");
    completeCheckpoint(generation, "run-1/savepoint-1");
    completeCheckpoint(generation, "run-2/job/chk-10");
    completeCheckpoint(generation, "run-2/job/chk-11");
    completeCheckpoint(generation, "run-2/job/chk-12.damaged");
    Files.createDirectories(
        directory().resolve(Long.toString(generation)).resolve("run-2/job/chk-13"));

    try (StateDirectory state = StateDirectory.open(directory())) {
      state.prepare(FLOW, ANY, false, messages::add);
      assertThat(state.checkpoints())
          .extracting(checkpoint -> checkpoint.path().getFileName().toString())
          .containsExactly("chk-11", "chk-10", "savepoint-1", "chk-9");
      assertThat(state.checkpointsOfRun()).hasFileName("run-3");
    }
  }

  @Test
  void theRunsOfTheNewestThreeCheckpointsAreKept() throws IOException {
    long generation = generationAfter(FLOW, ANY, false);
    completeCheckpoint(generation, "run-1/job/chk-1");
    Path second = completeCheckpoint(generation, "run-2/job/chk-2");
    completeCheckpoint(generation, "run-3/job/chk-3");
    completeCheckpoint(generation, "run-3/job/chk-4");
    try (StateDirectory state = StateDirectory.open(directory())) {
      state.prepare(FLOW, ANY, false, messages::add);
      state.prune();
    }

    assertThat(directory().resolve(generation + "/run-1")).doesNotExist();
    assertThat(second).exists();
  }

  @Test
  void ifAllCheckpointsAreDamagedNothingIsRebuiltUnasked() throws IOException {
    long generation = generationAfter(FLOW, ANY, false);
    Path checkpoint = completeCheckpoint(generation, "run-1/job/chk-1");

    for (int tries = 0; tries < 2; tries++) {
      try (StateDirectory state = StateDirectory.open(directory())) {
        state.prepare(FLOW, ANY, false, messages::add);
        assertThatThrownBy(() -> state.newestWhole(messages::add))
            .isInstanceOf(StateException.class)
            .hasMessageContaining("are damaged")
            .hasMessageContaining("--fresh");
      }
    }
    assertThat(messages).singleElement().asString().contains(checkpoint.toString(), "_metadata");
  }
}
