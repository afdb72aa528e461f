package io.widebeam.runner.serve;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.openqa.selenium.By;
import org.openqa.selenium.OutputType;
import org.openqa.selenium.StaleElementReferenceException;
import org.openqa.selenium.WebElement;
import org.openqa.selenium.chrome.ChromeDriver;
import org.openqa.selenium.chrome.ChromeDriverService;
import org.openqa.selenium.chrome.ChromeOptions;

/** Debian's Chromium without a window, looking at a dashboard. */
public final class Browser implements AutoCloseable {
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final Duration PAUSE = Duration.ofMillis(100);

  private final ChromeDriver driver;

  private Browser(ChromeDriver driver) {
    this.driver = driver;
  }

  public static Browser open(String url, String... arguments) {
    ChromeOptions options = new ChromeOptions();
    options.setBinary("/usr/bin/chromium");
    options.addArguments(
        "--headless=new",
        // The tests may run as root, and in a container with little shared memory.
        "--no-sandbox",
        "--disable-dev-shm-usage",
        "--disable-gpu",
        "--window-size=1100,1000");
    options.addArguments(arguments);
    ChromeDriverService service =
        new ChromeDriverService.Builder()
            .usingDriverExecutable(new File("/usr/bin/chromedriver"))
            .usingAnyFreePort()
            .build();
    Browser browser = new Browser(new ChromeDriver(service, options));
    browser.driver.get(url);
    return browser;
  }

  /** Waits until an element shows the text. */
  public void awaitText(String id, String text) throws InterruptedException {
    long deadline = System.nanoTime() + PATIENCE.toNanos();
    while (!text(id).contains(text)) {
      assertThat(System.nanoTime())
          .as("the page shows %s in #%s, not %s\n%s", text, id, text(id), text("problem"))
          .isLessThan(deadline);
      Thread.sleep(PAUSE.toMillis());
    }
  }

  public String text(String id) {
    try {
      return find(id).getText();
    } catch (StaleElementReferenceException e) {
      // Drawn anew just now.
      return "";
    }
  }

  public WebElement find(String id) {
    return driver.findElement(By.id(id));
  }

  /** What assistive technology says of the chart. */
  public String chartLabel() {
    return driver.findElement(By.cssSelector("#chart svg")).getDomAttribute("aria-label");
  }

  public void type(String id, String value) {
    find(id).clear();
    find(id).sendKeys(value + "\n");
  }

  public String address() {
    return driver.getCurrentUrl();
  }

  /** What a script in the page returns. */
  public Object run(String script) {
    return driver.executeScript(script);
  }

  /** Keeps what is to be seen among the build's files. */
  public Path screenshot(String name) throws IOException {
    Path directory = Files.createDirectories(Path.of("target", "screenshots"));
    return Files.write(directory.resolve(name + ".png"), driver.getScreenshotAs(OutputType.BYTES));
  }

  @Override
  public void close() {
    driver.quit();
  }
}
