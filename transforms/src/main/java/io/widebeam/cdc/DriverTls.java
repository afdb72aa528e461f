package io.widebeam.cdc;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import javax.annotation.Nullable;

/**
 * A connector's TLS settings, as the database's JDBC driver wants them: whoever else connects to a
 * source than its connector does it with the same encryption, certificates and keys.
 */
public final class DriverTls {
  private static final Set<String> BINLOG_SETTINGS =
      Set.of(
          "database.ssl.mode",
          "database.ssl.keystore",
          "database.ssl.keystore.password",
          "database.ssl.truststore",
          "database.ssl.truststore.password");

  private static final List<String> POSTGRES_FILES =
      List.of("sslcert", "sslkey", "sslpassword", "sslrootcert", "sslfactory");

  private DriverTls() {}

  /** Whether a setting of a connector is one that the drivers are given here. */
  static boolean follows(String setting) {
    return BINLOG_SETTINGS.contains(setting)
        || setting.equals("database.sslmode")
        || POSTGRES_FILES.stream().anyMatch(file -> setting.equals("database." + file));
  }

  /** For MySQL's driver, from {@code database.ssl.mode}, {@code .keystore}, {@code .truststore}. */
  public static Map<String, String> mysql(Map<String, String> connector) {
    Map<String, String> driver = new LinkedHashMap<>();
    String mode = connector.get("database.ssl.mode");
    if (mode != null) {
      driver.put("sslMode", mode.toUpperCase(Locale.ROOT));
    }
    putUrl(driver, "clientCertificateKeyStoreUrl", connector.get("database.ssl.keystore"));
    put(
        driver,
        "clientCertificateKeyStorePassword",
        connector.get("database.ssl.keystore.password"));
    putUrl(driver, "trustCertificateKeyStoreUrl", connector.get("database.ssl.truststore"));
    put(
        driver,
        "trustCertificateKeyStorePassword",
        connector.get("database.ssl.truststore.password"));
    return driver;
  }

  /** For MariaDB's driver, from the same settings as MySQL's. */
  public static Map<String, String> mariaDb(Map<String, String> connector) {
    Map<String, String> driver = new LinkedHashMap<>();
    put(driver, "sslMode", connector.get("database.ssl.mode"));
    put(driver, "keyStore", connector.get("database.ssl.keystore"));
    put(driver, "keyStorePassword", connector.get("database.ssl.keystore.password"));
    put(driver, "trustStore", connector.get("database.ssl.truststore"));
    put(driver, "trustStorePassword", connector.get("database.ssl.truststore.password"));
    return driver;
  }

  /** For Postgres' driver, from {@code database.sslmode}, {@code .sslrootcert} and the like. */
  public static Map<String, String> postgres(Map<String, String> connector) {
    Map<String, String> driver = new LinkedHashMap<>();
    put(driver, "sslmode", connector.get("database.sslmode"));
    for (String name : POSTGRES_FILES) {
      put(driver, name, connector.get("database." + name));
    }
    return driver;
  }

  private static void put(Map<String, String> driver, String name, @Nullable String value) {
    if (value != null) {
      driver.put(name, value);
    }
  }

  private static void putUrl(Map<String, String> driver, String name, @Nullable String file) {
    put(driver, name, file == null ? null : Path.of(file).toUri().toString());
  }
}
