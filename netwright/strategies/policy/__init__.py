"""The policy of ``reinforce`` and ``ppo``: a recurrent network that answers a space hole by hole."""
