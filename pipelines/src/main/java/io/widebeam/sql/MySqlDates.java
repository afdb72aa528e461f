package io.widebeam.sql;

import java.time.DateTimeException;
import java.time.DayOfWeek;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.time.format.TextStyle;
import java.time.temporal.ChronoField;
import java.time.temporal.ChronoUnit;
import java.time.temporal.IsoFields;
import java.time.temporal.TemporalAdjusters;
import java.util.Locale;
import javax.annotation.Nullable;

/** Dates by the format specifiers of MySQL's {@code DATE_FORMAT} and {@code STR_TO_DATE}. */
final class MySqlDates {
  private static final String OF_TIME = "HhIiklprSsTf";
  private static final int CENTURY_SPLIT = 70;

  private MySqlDates() {}

  /** {@code yyyy-MM-dd HH:mm:ss}, with a fraction if there is one. */
  static String text(LocalDateTime time) {
    String text = format(time, "%Y-%m-%d %H:%i:%s");
    int millis = time.get(ChronoField.MILLI_OF_SECOND);
    return millis == 0 ? text : text + padded(millis, 3, ".");
  }

  /** Whether a format has a part of the time of day in it. */
  static boolean hasTime(String format) {
    for (int i = 0; i + 1 < format.length(); i++) {
      if (format.charAt(i) == '%' && OF_TIME.indexOf(format.charAt(++i)) >= 0) {
        return true;
      }
    }
    return false;
  }

  static String format(LocalDateTime time, String format) {
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < format.length(); i++) {
      char c = format.charAt(i);
      if (c == '%' && i + 1 < format.length()) {
        append(time, format.charAt(++i), text);
      } else {
        text.append(c);
      }
    }
    return text.toString();
  }

  private static void append(LocalDateTime time, char specifier, StringBuilder text) {
    switch (specifier) {
      case 'Y' -> text.append(padded(time.getYear(), 4, ""));
      case 'y' -> text.append(padded(time.getYear() % 100, 2, ""));
      case 'm' -> text.append(padded(time.getMonthValue(), 2, ""));
      case 'c' -> text.append(time.getMonthValue());
      case 'M' -> text.append(time.getMonth().getDisplayName(TextStyle.FULL, Locale.ENGLISH));
      case 'b' -> text.append(time.getMonth().getDisplayName(TextStyle.SHORT, Locale.ENGLISH));
      case 'd' -> text.append(padded(time.getDayOfMonth(), 2, ""));
      case 'e' -> text.append(time.getDayOfMonth());
      case 'D' -> text.append(time.getDayOfMonth()).append(ordinal(time.getDayOfMonth()));
      case 'j' -> text.append(padded(time.getDayOfYear(), 3, ""));
      case 'a' -> text.append(time.getDayOfWeek().getDisplayName(TextStyle.SHORT, Locale.ENGLISH));
      case 'W' -> text.append(time.getDayOfWeek().getDisplayName(TextStyle.FULL, Locale.ENGLISH));
      case 'w' -> text.append(time.getDayOfWeek().getValue() % 7);
      case 'H' -> text.append(padded(time.getHour(), 2, ""));
      case 'k' -> text.append(time.getHour());
      case 'h', 'I' -> text.append(padded(twelve(time), 2, ""));
      case 'l' -> text.append(twelve(time));
      case 'p' -> text.append(time.getHour() < 12 ? "AM" : "PM");
      case 'i' -> text.append(padded(time.getMinute(), 2, ""));
      case 'S', 's' -> text.append(padded(time.getSecond(), 2, ""));
      case 'f' -> text.append(padded(time.get(ChronoField.MICRO_OF_SECOND), 6, ""));
      case 'r' -> text.append(format(time, "%I:%i:%S %p"));
      case 'T' -> text.append(format(time, "%H:%i:%S"));
      case 'U' -> text.append(padded(weekOfYear(time.toLocalDate(), DayOfWeek.SUNDAY), 2, ""));
      case 'u' -> text.append(padded(weekOfYear4(time.toLocalDate()), 2, ""));
      case 'v' -> text.append(padded(time.get(IsoFields.WEEK_OF_WEEK_BASED_YEAR), 2, ""));
      case 'x' -> text.append(padded(time.get(IsoFields.WEEK_BASED_YEAR), 4, ""));
      case 'V' -> text.append(padded(sundayWeek(time.toLocalDate()), 2, ""));
      case 'X' -> text.append(padded(sundayWeekYear(time.toLocalDate()), 4, ""));
      default -> text.append(specifier);
    }
  }

  /** MySQL's week mode 0: the first week is the one with the year's first Sunday in it. */
  private static int weekOfYear(LocalDate date, DayOfWeek first) {
    LocalDate start = date.withDayOfYear(1).with(TemporalAdjusters.nextOrSame(first));
    return date.isBefore(start) ? 0 : (int) ChronoUnit.WEEKS.between(start, date) + 1;
  }

  /** MySQL's week mode 1: Monday first; the first week has more than three days in the year. */
  private static int weekOfYear4(LocalDate date) {
    LocalDate newYear = date.withDayOfYear(1);
    LocalDate monday = newYear.with(TemporalAdjusters.previousOrSame(DayOfWeek.MONDAY));
    boolean counts = newYear.getDayOfWeek().getValue() <= DayOfWeek.THURSDAY.getValue();
    return (int) ChronoUnit.WEEKS.between(monday, date) + (counts ? 1 : 0);
  }

  /** MySQL's week mode 2: as mode 0, but the days before the first week are the last year's. */
  private static int sundayWeek(LocalDate date) {
    int week = weekOfYear(date, DayOfWeek.SUNDAY);
    return week > 0 ? week : weekOfYear(date.withDayOfYear(1).minusDays(1), DayOfWeek.SUNDAY);
  }

  private static int sundayWeekYear(LocalDate date) {
    return weekOfYear(date, DayOfWeek.SUNDAY) > 0 ? date.getYear() : date.getYear() - 1;
  }

  private static int twelve(LocalDateTime time) {
    return (time.getHour() + 11) % 12 + 1;
  }

  private static String ordinal(int day) {
    if (day >= 11 && day <= 13) {
      return "th";
    }
    return switch (day % 10) {
      case 1 -> "st";
      case 2 -> "nd";
      case 3 -> "rd";
      default -> "th";
    };
  }

  private static String padded(int value, int digits, String before) {
    String text = Integer.toString(value);
    return before + "0".repeat(Math.max(0, digits - text.length())) + text;
  }

  /**
   * The text read by the format; null if it does not fit. What the format ends before is not read.
   */
  @Nullable
  static LocalDateTime parse(String text, String format) {
    return new Parsing(text).parse(format);
  }

  /** One text on its way through a format. */
  private static final class Parsing {
    private final String text;
    private int at;
    private int year;
    private int month;
    private int day;
    private int dayOfYear;
    private int hour;
    private int minute;
    private int second;
    private int nanos;
    private boolean twelve;
    private boolean afternoon;

    Parsing(String text) {
      this.text = text;
    }

    @Nullable
    LocalDateTime parse(String format) {
      try {
        // What a date leaves out has no value in BSON, where MySQL has zeros.
        if (!read(format) || year == 0) {
          return null;
        }
        if (twelve) {
          if (hour < 1 || hour > 12) {
            return null;
          }
          hour = hour % 12 + (afternoon ? 12 : 0);
        }
        LocalDate date =
            dayOfYear > 0 ? LocalDate.ofYearDay(year, dayOfYear) : LocalDate.of(year, month, day);
        return LocalDateTime.of(date, LocalTime.of(hour, minute, second, nanos));
      } catch (DateTimeException e) {
        return null;
      }
    }

    private boolean read(String format) {
      for (int i = 0; i < format.length(); i++) {
        char c = format.charAt(i);
        if (c == '%' && i + 1 < format.length()) {
          skipBlanks();
          if (!readPart(format.charAt(++i))) {
            return false;
          }
        } else if (Character.isWhitespace(c)) {
          skipBlanks();
        } else {
          skipBlanks();
          if (at >= text.length() || text.charAt(at++) != c) {
            return false;
          }
        }
      }
      return true;
    }

    private boolean readPart(char specifier) {
      switch (specifier) {
        case 'Y' -> {
          int start = at;
          year = number(4);
          if (at - start <= 2 && year >= 0) {
            year += year < CENTURY_SPLIT ? 2000 : 1900;
          }
          return year >= 0;
        }
        case 'y' -> {
          year = number(2);
          boolean found = year >= 0;
          year += year < CENTURY_SPLIT ? 2000 : 1900;
          return found;
        }
        case 'm', 'c' -> {
          return (month = number(2)) >= 0;
        }
        case 'd', 'e' -> {
          return (day = number(2)) >= 0;
        }
        case 'D' -> {
          day = number(2);
          at = Math.min(text.length(), at + 2);
          return day >= 0;
        }
        case 'j' -> {
          return (dayOfYear = number(3)) > 0;
        }
        case 'M' -> {
          return (month = name(TextStyle.FULL)) > 0;
        }
        case 'b' -> {
          return (month = name(TextStyle.SHORT)) > 0;
        }
        case 'H', 'k' -> {
          return (hour = number(2)) >= 0;
        }
        case 'h', 'I', 'l' -> {
          twelve = true;
          return (hour = number(2)) >= 0;
        }
        case 'i' -> {
          return (minute = number(2)) >= 0;
        }
        case 'S', 's' -> {
          return (second = number(2)) >= 0;
        }
        case 'f' -> {
          int start = at;
          int fraction = number(6);
          nanos = fraction < 0 ? -1 : fraction * (int) Math.pow(10, 9 - (at - start));
          return fraction >= 0;
        }
        case 'p' -> {
          twelve = true;
          afternoon = text.regionMatches(true, at, "PM", 0, 2);
          boolean found = afternoon || text.regionMatches(true, at, "AM", 0, 2);
          at += 2;
          return found;
        }
        case 'T' -> {
          return read("%H:%i:%S");
        }
        case 'r' -> {
          return read("%I:%i:%S %p");
        }
        case '%' -> {
          return at < text.length() && text.charAt(at++) == '%';
        }
        default -> {
          return false;
        }
      }
    }

    /** Of up to so many digits; -1 if there is none. */
    private int number(int digits) {
      int start = at;
      int value = 0;
      while (at < text.length()
          && at - start < digits
          && text.charAt(at) >= '0'
          && text.charAt(at) <= '9') {
        value = value * 10 + text.charAt(at++) - '0';
      }
      return at == start ? -1 : value;
    }

    private int name(TextStyle style) {
      for (java.time.Month candidate : java.time.Month.values()) {
        String name = candidate.getDisplayName(style, Locale.ENGLISH);
        if (text.regionMatches(true, at, name, 0, name.length())) {
          at += name.length();
          return candidate.getValue();
        }
      }
      return 0;
    }

    private void skipBlanks() {
      while (at < text.length() && Character.isWhitespace(text.charAt(at))) {
        at++;
      }
    }
  }
}
