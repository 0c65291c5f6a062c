// Package deployments has no code: it is the folder of container files, the broker's configuration and the examples. Its
// tests hold docker-compose.yml to what it promises and run its services as processes. A program may not enter.
package deployments
