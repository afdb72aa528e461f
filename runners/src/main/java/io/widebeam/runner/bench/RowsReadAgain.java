package io.widebeam.runner.bench;

import io.widebeam.runner.state.RunReport.Load;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * What a load that is killed again and again costs: the rows that each run had given out to the
 * joins, and that the next one gave out again because the checkpoint from which it went on did not
 * have them.
 *
 * @param chunkRows how many rows each reader takes at a time
 * @param readers how many there are
 * @param atResumes how many rows were given out again, for each start after a kill
 * @param givenOut how many rows were given out by all runs together
 */
public record RowsReadAgain(int chunkRows, int readers, List<Long> atResumes, long givenOut) {
  public RowsReadAgain {
    atResumes = List.copyOf(atResumes);
  }

  static RowsReadAgain none(int chunkRows, int readers) {
    return new RowsReadAgain(chunkRows, readers, List.of(), 0);
  }

  /**
   * With a run that went on from another one.
   *
   * @param killed what the other one last told before it was killed
   * @param next what the run has told at last
   */
  RowsReadAgain resumed(Load killed, Load next) {
    List<Long> more = new ArrayList<>(atResumes);
    // The checkpoint may be a moment younger than what the killed run told last.
    more.add(Math.max(0, killed.rowsRead() - next.rowsBefore()));
    return new RowsReadAgain(chunkRows, readers, more, givenOut);
  }

  /**
   * With what a run has read itself.
   *
   * @param load what it has told at last
   */
  RowsReadAgain read(Load load) {
    return new RowsReadAgain(
        chunkRows, readers, atResumes, givenOut + load.rowsRead() - load.rowsBefore());
  }

  /** What one resume may read again. */
  long bound() {
    return (long) chunkRows * readers;
  }

  /**
   * What must not be, for people.
   *
   * @param tableRows how many rows there were to read, at most
   */
  List<String> faults(long tableRows) {
    List<String> faults = new ArrayList<>();
    for (int i = 0; i < atResumes.size(); i++) {
      long rows = atResumes.get(i);
      if (rows > bound()) {
        faults.add(
            String.format(
                Locale.ROOT,
                "resume %d gave out %,d rows again, more than %,d: %s",
                i + 1,
                rows,
                bound(),
                boundInWords()));
      }
    }
    long allowed = tableRows + bound() * atResumes.size();
    if (givenOut > allowed) {
      faults.add(
          String.format(
              Locale.ROOT,
              "%,d rows were given out in all, more than the %,d of the tables and %,d for each of"
                  + " %d resumes",
              givenOut,
              tableRows,
              bound(),
              atResumes.size()));
    }
    return faults;
  }

  private String boundInWords() {
    return String.format(
        Locale.ROOT, "a chunk of %,d rows for each of %d readers", chunkRows, readers);
  }

  @Override
  public String toString() {
    return String.format(
        Locale.ROOT,
        "the joins were given %,d rows by all starts together; a resume gave out again at most %,d"
            + " %s, and may %,d (%s)",
        givenOut,
        atResumes.stream().mapToLong(Long::longValue).max().orElse(0),
        atResumes,
        bound(),
        boundInWords());
  }
}
