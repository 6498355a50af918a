"""What a run leaves to be used elsewhere: a model folder that needs Netwright for nothing, proved before it is kept."""
