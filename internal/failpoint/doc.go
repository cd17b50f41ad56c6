// Package failpoint marks the places at which a process may die: before and after every write and every request.
//
// In a build with the tag failpoints, which is for tests alone, Hit writes down that it was reached, and kills the
// process at the points that a test has armed. In every other build Hit is empty, and nothing of it is in the program.
//
// A point is the role of the process (provider, daemon, or the word after the program's name), the name given to Hit, and
// the functions that led there, such as "daemon store.written write<saveRecord". The environment variable
// TIDEGATE_ENGINE_FAILPOINTS names a folder, in which
//
//	hits           gets a line for each hit: nanoseconds since 1970, process id, point
//	armed/POINT    holds a number n: from then on the n-th hit kills, whichever process of that role it is in
//	fired/POINT    is what becomes of it then: a point kills once
//
// with POINT escaped as a part of a URL's path.
package failpoint
