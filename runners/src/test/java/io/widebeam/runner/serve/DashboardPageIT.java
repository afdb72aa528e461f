package io.widebeam.runner.serve;

import static org.assertj.core.api.Assertions.assertThat;

import io.widebeam.flow.Connection;
import io.widebeam.flow.Flow;
import io.widebeam.runner.embedded.EmbeddedPostgres;
import java.awt.image.BufferedImage;
import java.net.InetAddress;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.concurrent.TimeUnit;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The page in a browser, over a table of sums in Postgres. */
@Tag("slow")
@Timeout(value = 3, unit = TimeUnit.MINUTES)
class DashboardPageIT {
  private static final String SHOP =
      "?table=ap.dwd_shops&date=ds&number=sum_fee&group=order_shop_id&value=35";

  private static EmbeddedPostgres server;
  private static java.sql.Connection database;
  private static Dashboard dashboard;

  @BeforeAll
  static void start() throws Exception {
    server = EmbeddedPostgres.start();
    database = server.connect(EmbeddedPostgres.DATABASE);
    dashboard =
        Dashboard.start(
            Flow.named("Warehouse")
                .connection(Connection.mysql("tp", "none", 1, "tp", "cdc", "cdc"))
                .connection(
                    Connection.jdbc(
                        "ap",
                        server.jdbcUrl(EmbeddedPostgres.DATABASE),
                        EmbeddedPostgres.USER,
                        EmbeddedPostgres.PASSWORD))
                .readFrom("tp.shops")
                .writeTo("ap.dwd_shops"),
            InetAddress.getLoopbackAddress(),
            0);
  }

  @BeforeEach
  void fill() throws SQLException {
    execute("DROP TABLE IF EXISTS dwd_shops");
    execute(
        "CREATE TABLE dwd_shops (order_shop_id bigint, ds date, sum_fee numeric(38, 2),"
            + " _version bigint, PRIMARY KEY (order_shop_id, ds))");
    execute(
        "INSERT INTO dwd_shops VALUES (35, '2024-06-29', 12998, 1), (35, '2024-06-30', 6499, 1),"
            + " (36, '2024-07-01', 1000, 1), (35, '2024-07-01', 25996, 1)");
  }

  private static void execute(String sql) throws SQLException {
    try (Statement statement = database.createStatement()) {
      statement.execute(sql);
    }
  }

  @AfterAll
  static void stop() throws SQLException {
    dashboard.close();
    database.close();
    server.close();
  }

  @Test
  void aShopsSumAppearsWithoutAReloadWhenItChanges() throws Exception {
    try (Browser browser = Browser.open(dashboard.url() + SHOP)) {
      browser.awaitText("latest", "25,996.00");
      execute(
          "UPDATE dwd_shops SET sum_fee = 32495 WHERE order_shop_id = 35 AND ds = '2024-07-01'");

      browser.awaitText("latest", "32,495.00");
      assertThat(browser.text("latest-day")).isEqualTo("Latest day, 2024-07-01");
      assertThat(browser.text("total")).isEqualTo("51,992.00");
      assertThat(browser.text("rows")).contains("32,495.00").doesNotContain("1,000.00", "_version");
      assertThat(browser.chartLabel())
          .isEqualTo("Line of 3 daily sums from 2024-06-29 to 2024-07-01; the latest is 32,495.00");
      assertThat(coloursOf(browser.screenshot("dashboard"))).isGreaterThan(3);
    }
  }

  @Test
  void aReaderChoosesOneShopOrAll() throws Exception {
    try (Browser browser = Browser.open(dashboard.url())) {
      browser.awaitText("latest", "26,996.00");
      browser.type("value", "35");
      browser.awaitText("latest", "25,996.00");
      assertThat(browser.address()).endsWith(SHOP);
      browser.type("value", "");
      browser.awaitText("latest", "26,996.00");
    }
  }

  @Test
  void aTableThatIsDroppedAndComesBackIsSaidAndShownAgain() throws Exception {
    try (Browser browser = Browser.open(dashboard.url())) {
      browser.awaitText("latest", "26,996.00");
      execute("ALTER TABLE dwd_shops RENAME TO away");
      browser.awaitText("problem", "not there yet");
      execute("ALTER TABLE away RENAME TO dwd_shops");
      browser.awaitText("state", "Updated at");
      assertThat(browser.text("problem")).isEmpty();
    }
  }

  @Test
  void itIsDarkForThoseWhoHaveItDark() throws Exception {
    try (Browser browser =
        Browser.open(
            dashboard.url() + SHOP,
            "--force-dark-mode",
            "--blink-settings=preferredColorScheme=0")) {
      browser.awaitText("latest", "25,996.00");
      browser.screenshot("dashboard-dark");
      assertThat(browser.run("return getComputedStyle(document.body).backgroundColor"))
          .isEqualTo("rgb(13, 17, 23)");
    }
  }

  @Test
  void everyFieldHasAName() throws Exception {
    try (Browser browser = Browser.open(dashboard.url())) {
      browser.awaitText("latest", "26,996.00");
      assertThat(
              browser.run(
                  "return [...document.querySelectorAll('select, input')]"
                      + ".filter(field => !field.labels.length).length"))
          .isEqualTo(0L);
    }
  }

  /** Text, lines and the ground; a page that shows nothing has one. */
  private static long coloursOf(java.nio.file.Path screenshot) throws Exception {
    BufferedImage image = ImageIO.read(screenshot.toFile());
    int[] pixels =
        image.getRGB(0, 0, image.getWidth(), image.getHeight(), null, 0, image.getWidth());
    return java.util.Arrays.stream(pixels).distinct().count();
  }
}
