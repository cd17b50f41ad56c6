import {
  to = tidegate_cluster.here
  id = "local/here"
}
