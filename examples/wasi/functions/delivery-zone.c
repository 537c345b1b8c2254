/*
 * Tells in which delivery zone an order is to be delivered, by the table in /data/zones.csv, and emits
 * com.nexus.delivery.zoned. See README.md for how to build it.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

__attribute__((import_module("nexus"), import_name("emit")))
int32_t nexus_emit(const char *type, size_t type_length, const char *data, size_t data_length,
                   const char *attributes, size_t attributes_length);

enum { MAX_EVENT = 64 * 1024, MAX_LINE = 256 };

/* The number after "name": in the JSON of an event. */
static double number_in(const char *json, const char *name) {
  char key[32];
  snprintf(key, sizeof key, "\"%s\":", name);
  const char *found = strstr(json, key);
  if (!found) {
    fprintf(stderr, "ERROR the event has no %s\n", name);
    exit(2);
  }
  return strtod(found + strlen(key), NULL);
}

int main(void) {
  static char event[MAX_EVENT + 1];
  event[fread(event, 1, MAX_EVENT, stdin)] = '\0';
  double latitude = number_in(event, "latitude");
  double longitude = number_in(event, "longitude");

  FILE *zones = fopen("/data/zones.csv", "r");
  if (!zones) {
    perror("ERROR /data/zones.csv");
    return 1;
  }
  char line[MAX_LINE], zone[32] = "abroad";
  while (fgets(line, sizeof line, zones)) {
    double south, west, north, east;
    char name[sizeof zone];
    if (sscanf(line, "%31[^,],%lf,%lf,%lf,%lf", name, &south, &west, &north, &east) != 5) continue;
    if (latitude < south || latitude > north || longitude < west || longitude > east) continue;
    strcpy(zone, name);
    break;
  }
  fprintf(stderr, "%.2f, %.2f is in zone %s\n", latitude, longitude, zone);

  static const char type[] = "com.nexus.delivery.zoned";
  char result[64];
  int length = snprintf(result, sizeof result, "{\"zone\":\"%s\"}", zone);
  if (nexus_emit(type, sizeof type - 1, result, length, NULL, 0) != 0) return 3;
  fwrite(result, 1, length, stdout);
  return 0;
}
