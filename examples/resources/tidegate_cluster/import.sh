terraform import tidegate_cluster.here local/here
